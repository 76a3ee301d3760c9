import { hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import type { CatalogEntry, Dispatch } from '../../pipelines/index.ts';
import type { SaveStore } from '../../src/saves/copies/store.ts';
import { openBucket } from '../../src/saves/objects/bucket.ts';
import { createObjectStore, type ObjectStoreOptions } from '../../src/saves/objects/store.ts';
import { anAsk, collect } from './collect.ts';
import { temporaryFolders } from './folder.ts';
import { ACCESS, BUCKET, objectServers } from './s3-server.ts';
import { find, writeTo } from './stores.ts';

/** Opens stores of copies at one server, each with a prefix and at a time of its own. They are closed after each test. */
export const objectStores = () => {
  const folder = temporaryFolders();
  const servers = objectServers(afterAll);
  const opened: SaveStore[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
  let started: ReturnType<typeof servers> | undefined;

  return async (prefix: string, options: Partial<ObjectStoreOptions> = {}) => {
    started ??= servers();
    const objects = await started;
    objects.meddle(() => false);
    const bucket = await openBucket({
      ...{ bucket: BUCKET, prefix: `${prefix}/`, region: 'us-east-1', endpoint: objects.url, pathStyle: true },
      credentials: ACCESS,
    });
    const uploads = join(folder(), 'uploads');
    const [errors, mended, troubles]: [string[], string[], (string | undefined)[]] = [[], [], []];
    let now = Date.now();
    const store = createObjectStore({
      ...{ bucket, uploads: { folder: uploads, family: 'this' }, now: () => now },
      onError: ({ message }) => errors.push(message),
      onMended: (what) => mended.push(what),
      onChange: (problem) => troubles.push(problem?.code),
      ...options,
    });
    opened.push(store);
    const list = new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: `${prefix}/` });
    return {
      ...{ objects, bucket, store, errors, mended, troubles },
      pass: (ms: number) => {
        now += ms;
      },
      unfinished: async () => (await objects.client.send(list)).Uploads?.length ?? 0,
      noted: () => readdirSync(uploads),
      names: () => objects.names().filter((name) => name.startsWith(`${prefix}/`)),
      /** Keeps a copy as a transfer would, which is there afterwards. */
      save: async (entry: CatalogEntry, bytes: Uint8Array) => {
        const keeping = store.keep(entry, bytes.length, []);
        writeTo(keeping, bytes);
        keeping?.commit();
        await lastValueFrom(store.dispatch(saveOf(entry)), { defaultValue: '' });
      },
      /** The sum of what a request would get of the copy. Rejects as the request. */
      served: async (entry: CatalogEntry) => {
        const found = await find(store, entry);
        if (!found?.url || !store.open) throw new Error(`no copy of ${entry.path}`);
        return sumOf((await collect(store.open({ url: found.url }, anAsk()))).body);
      },
    };
  };
};

/** Answers each request that matches, such as `PUT /copies/…`, with a status. */
export const refusing =
  (what: RegExp, status = 503) =>
  ({ method, url }: IncomingMessage, response: ServerResponse): boolean => {
    if (!what.test(`${method} ${url}`)) return false;
    response.writeHead(status).end();
    return true;
  };

export const saveOf = (entry: CatalogEntry): Parameters<Dispatch>[0] => ({
  ...{ id: 1, failures: 0, requestId: 'r', entry },
});

export const sumOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64');
