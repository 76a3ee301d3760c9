import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type afterAll, afterEach, describe } from '@jest/globals';
import { startOn } from './feeds.ts';
import { filesBelow, temporaryFolders } from './folder.ts';
import { ACCESS, BUCKET, type S3Server, s3Binary, startS3 } from './start-s3.ts';

export { ACCESS, BUCKET } from './start-s3.ts';

if (!s3Binary && process.env.CI === 'true') throw new Error('the tests of object stores need Go to build a server');

/** `describe` if there is a server; otherwise skipped tests with the reason in their names. */
export const describeObjects = (name: string, tests: () => void): void =>
  s3Binary ? describe(name, tests) : describe.skip(`${name} (skipped: needs Go to build an S3 server)`, tests);

/** What a proxy in front of the server does with a request: passes it on, unless it returns `true`. */
type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** A server behind a proxy, which `port` is of. `client` goes past it. */
export interface ObjectServer extends Omit<S3Server, 'close'> {
  readonly url: string;
  /** The requests so far: method and target. */
  readonly asked: string[];
  /** The names of all objects. */
  names(): readonly string[];
  /** Settings of a site that keeps its copies there, as in a configuration file. */
  readonly settings: Readonly<Record<string, string>>;
  /** Replaces what the proxy does. */
  meddle(how: Meddle): void;
}

/** Starts servers with an empty bucket, which are ended after each test, or after all. */
export const objectServers = (after: typeof afterEach | typeof afterAll = afterEach) => {
  const folder = temporaryFolders(after);
  const ends: (() => Promise<unknown>)[] = [];
  after(() => Promise.all(ends.splice(0).map((end) => end())));

  return async (): Promise<ObjectServer> => {
    const server = await startS3(folder());
    ends.push(server.close);
    let how: Meddle = () => undefined;
    const asked: string[] = [];
    const proxy = await startOn(
      createServer((incoming, response) => {
        asked.push(`${incoming.method} ${incoming.url}`);
        incoming.on('error', () => {});
        if (how(incoming, response)) return;
        const { method, url: path, headers } = incoming;
        const to = { host: '127.0.0.1', port: server.port, method, path, headers, agent: false };
        const outgoing = request(to, (answer) => {
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
      ...server,
      ...{ url: proxy.url, port: proxy.port, asked },
      names: () => filesBelow(server.folder).filter((name) => !name.startsWith('.')),
      settings: {
        ...{ save_url: `s3://${BUCKET}/site`, save_endpoint: proxy.url },
        ...{ save_access_key: ACCESS.accessKeyId, save_secret_key: ACCESS.secretAccessKey },
      },
      meddle: (next) => {
        how = next;
      },
    };
  };
};
