import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, describe } from '@jest/globals';
import { type MongoServer, startMongoServer, way } from './mongodb-server.ts';
import { type Pulp2, PYTHON, startPulp2 } from './pulp2/pulp2.ts';
import { temporaryFolders } from './temporary.ts';

export type { MongoServer } from './mongodb-server.ts';

const hasClient = spawnSync(PYTHON, ['-c', 'import pymongo']).status === 0;
const missing = [
  ...(way ? [] : ['a server: MONGODB_URL, mongod, or Go to build FerretDB']),
  ...(hasClient ? [] : ['python3-pymongo']),
].join(' and ');
if (missing !== '' && process.env.CI === 'true') throw new Error(`the tests of MongoDB need ${missing}`);
const cannotStop = missing === '' && !way?.command ? 'a separate server, not MONGODB_URL' : missing;

/** The server that the tests use. */
export const serverName = way?.name;

/**
 * `describe` if the server and the independent client are available; otherwise skipped tests with
 * the reason in their names.
 */
export const describeMongo = (name: string, tests: () => void): void =>
  missing === '' ? describe(name, tests) : describe.skip(`${name} (skipped: needs ${missing})`, tests);

/** The same for tests that stop the server. */
export const describeMongoServer = (name: string, tests: () => void): void =>
  cannotStop === '' ? describe(name, tests) : describe.skip(`${name} (skipped: needs ${cannotStop})`, tests);

/** The same for tests of query plans, which only MongoDB itself reports. */
export const describeMongoItself = (name: string, tests: () => void): void =>
  way && serverName !== 'FerretDB'
    ? describeMongo(name, tests)
    : describe.skip(`${name} (skipped: needs MongoDB itself, by MONGODB_URL)`, tests);

const SET_NAME =
  'import sys, pymongo; print(pymongo.MongoClient(sys.argv[1]).admin.command("ismaster").get("setName", ""))';

/** The same for tests of a replica set: `tests` gets its name. */
export const describeReplicaSet = (name: string, tests: (setName: string) => void): void => {
  const asked = way?.url ? spawnSync(PYTHON, ['-c', SET_NAME, way.url], { encoding: 'utf8' }) : undefined;
  const setName = asked?.stdout.trim() ?? '';
  if (setName !== '') describeMongo(name, () => tests(setName));
  else describe.skip(`${name} (skipped: needs a replica set, by MONGODB_URL)`, () => tests(''));
};

/**
 * For each test file: `server` starts servers that end with the file, `database` creates empty
 * databases in them.
 */
export const mongodb = () => {
  const newFolder = temporaryFolders();
  const ending: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
  });

  const server = async (): Promise<MongoServer> => {
    const made = await startMongoServer(newFolder());
    if (!way?.url) ending.push(made.stop);
    return made;
  };

  const database = async ({ url }: MongoServer): Promise<{ readonly name: string; readonly pulp: Pulp2 }> => {
    const name = `pulp_test_${randomBytes(6).toString('hex')}`;
    const pulp = await startPulp2(url, name);
    // Last in, first out: dropped, then closed. A server that a test left stopped cannot drop
    // anything.
    ending.push(pulp.close, () => pulp.drop().catch(() => {}));
    return { name, pulp };
  };
  return { server, database };
};
