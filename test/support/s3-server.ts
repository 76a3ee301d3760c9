import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type afterAll, afterEach, describe } from '@jest/globals';
import { closedPort, startOn } from './feeds.ts';
import { filesBelow, temporaryFolders } from './folder.ts';
import { goBuild } from './go-build.ts';
import { listening } from './peers.ts';
import { createProcessGroup } from './process-group.ts';
import type { Running } from './run-process.ts';

const FOLDER = fileURLToPath(new URL('versitygw', import.meta.url));

/** A real server for Amazon's protocol over files, built from its sources if necessary. */
const binary = goBuild({
  ...{ name: 'versitygw', folder: FOLDER, files: ['go.mod', 'go.sum'] },
  what: ['github.com/versity/versitygw/cmd/versitygw'],
});
if (!binary && process.env.CI === 'true') throw new Error('the tests of object stores need Go to build a server');

/** `describe` if there is a server; otherwise skipped tests with the reason in their names. */
export const describeObjects = (name: string, tests: () => void): void =>
  binary ? describe(name, tests) : describe.skip(`${name} (skipped: needs Go to build an S3 server)`, tests);

export const ACCESS = { accessKeyId: 'the-access-key', secretAccessKey: 'a-secret-that-nobody-logs' } as const;
export const BUCKET = 'copies';

/** What a proxy in front of the server does with a request: passes it on, unless it returns `true`. */
export type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

export interface ObjectServer {
  /** Of the proxy in front. */
  readonly url: string;
  readonly port: number;
  /** The requests so far: method and target. */
  readonly asked: string[];
  /** The folder that has the objects as files. */
  readonly folder: string;
  /** The names of all objects. */
  names(): readonly string[];
  /** A client of its own, past the proxy. */
  readonly client: S3Client;
  /** Settings of a site that keeps its copies there, as in a configuration file. */
  readonly settings: Readonly<Record<string, string>>;
  /** Replaces what the proxy does. */
  meddle(how: Meddle): void;
  /** Ends the server at once, as a crash would. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts servers with an empty bucket, which are ended after each test, or after all. */
export const objectServers = (after: typeof afterEach | typeof afterAll = afterEach) => {
  const folder = temporaryFolders(after);
  const ends: (() => Promise<unknown>)[] = [];
  after(() => Promise.all(ends.splice(0).map((end) => end())));

  return async (): Promise<ObjectServer> => {
    const [root, sidecar] = ['root', 'sidecar'].map((name) => join(folder(), name)) as [string, string];
    for (const one of [root, sidecar]) mkdirSync(one);
    const port = await closedPort();
    const group = createProcessGroup();
    let running: Running | undefined;
    const start = async () => {
      const args = ['--access', ACCESS.accessKeyId, '--secret', ACCESS.secretAccessKey, '--quiet', '--keep-alive'];
      running = group.start(binary ?? '', [
        ...args,
        '--port',
        `127.0.0.1:${port}`,
        'posix',
        '--sidecar',
        sidecar,
        root,
      ]);
      await listening(running, port);
    };
    await start();
    ends.push(() => group.end());

    const client = new S3Client({
      ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', forcePathStyle: true, credentials: ACCESS },
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    ends.push(async () => client.destroy());

    let how: Meddle = () => undefined;
    const asked: string[] = [];
    const proxy = await startOn(
      createServer((incoming, response) => {
        asked.push(`${incoming.method} ${incoming.url}`);
        incoming.on('error', () => {});
        if (how(incoming, response)) return;
        const { method, url: path, headers } = incoming;
        const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.on('error', () => response.destroy()).pipe(response);
        });
        outgoing.on('error', () => response.destroy());
        response.on('close', () => outgoing.destroy());
        incoming.pipe(outgoing);
      }),
    );
    ends.push(() => proxy.close());

    return {
      ...{ url: proxy.url, port: proxy.port, asked, client, folder: join(root, BUCKET), start },
      names: () => filesBelow(join(root, BUCKET)).filter((name) => !name.startsWith('.')),
      settings: {
        ...{ save_url: `s3://${BUCKET}/site`, save_endpoint: proxy.url },
        ...{ save_access_key: ACCESS.accessKeyId, save_secret_key: ACCESS.secretAccessKey },
      },
      meddle: (next) => {
        how = next;
      },
      stop: async () => {
        running?.kill('SIGKILL');
        await running?.ended;
      },
    };
  };
};
