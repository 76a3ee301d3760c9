import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { connectMongo } from '../../src/catalog/mongodb/connection.ts';
import { openSharedStore, type SharedStore } from '../../src/catalog/shared/open.ts';
import { databaseSettings } from './database-settings.ts';
import { type MongoServer, startMongoServer, way } from './mongodb-server.ts';
import { temporaryFolders } from './temporary.ts';

const WITHIN = 30_000;

/** A shared catalog of its own, in an empty database. */
export interface TestCatalog {
  readonly url: string;
  /** Opens it as another process would. It is closed with the test file. */
  open(options?: { readonly watching?: boolean; readonly tidyEvery?: number }): Promise<SharedStore>;
}

/** For each test file: shared catalogs in one server, which ends with the file. */
export const sharedStores = () => {
  const newFolder = temporaryFolders();
  const ending: (() => Promise<unknown>)[] = [];
  let server: Promise<MongoServer> | undefined;
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
  });

  const start = async (): Promise<MongoServer> => {
    const made = await startMongoServer(newFolder());
    if (!way?.url) ending.push(made.stop);
    return made;
  };

  const catalog = async (): Promise<TestCatalog> => {
    server ??= start();
    const { url: base } = await server;
    const name = `shared_${randomBytes(6).toString('hex')}`;
    const url = `${base.replace(/\/?$/, '/')}${name}`;
    if (way?.url)
      ending.push(async () => {
        const client = new MongoClient(base);
        await client.db(name).dropDatabase();
        await client.close();
      });
    return {
      url,
      open: async (options = {}) => {
        const store = openSharedStore(connectMongo(databaseSettings({ url }), WITHIN), {
          ...{ maxTime: WITHIN, patience: WITHIN, ...options },
        });
        let isOpen = true;
        const close = async () => {
          if (isOpen) await store.close();
          isOpen = false;
        };
        ending.push(close);
        return { ...store, close };
      },
    };
  };
  return { catalog };
};
