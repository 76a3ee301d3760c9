import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/app/version.ts';
import { createAuthority } from '../test/support/authority.ts';
import type { Counts } from './contenders/origin.ts';
import { freePort, startServer } from './machine.ts';

/** Where contenders find content, and what they need to read it. */
export interface Places {
  /** Base URLs of the feeds, without a slash at their ends. The second demands the client certificate. */
  readonly http: string;
  readonly https: string;
  /** PEM files. The last one has both the certificate and the key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly certAndKey: string;
}

export interface Origin extends Places {
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

/** Starts the origin. `folder` is for its files, and those in its `repodata` are served. */
export const startOrigin = async (folder: string, core?: number, port?: number): Promise<Origin> => {
  const authority = await createAuthority('pulp-streamer bench CA');
  const { cert, key } = await authority.client('bench');
  const server = await authority.server(['localhost', '127.0.0.1']);
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const identity = write('origin.json', JSON.stringify({ ...server, ca: authority.cert }));
  const https = await freePort();
  const script = join(packageRoot, 'bench/contenders/origin.ts');
  const { url, request, stop } = await startServer(
    (http) => [process.execPath, script, String(http), String(https), identity, folder],
    { core, ipc: true, ...(port !== undefined && { port }) },
  );
  return {
    http: url,
    https: `https://localhost:${https}`,
    ca: write('ca.pem', authority.cert),
    cert: write('cert.pem', cert),
    key: write('key.pem', key),
    certAndKey: write('identity.pem', `${cert}\n${key}`),
    counts: () => request<Counts>('counts'),
    stop,
  };
};
