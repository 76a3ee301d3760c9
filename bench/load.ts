import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { digestOf, sizeOf } from './content.ts';
import type { Asked } from './relays.ts';

/**
 * Downloads a file and resolves to the milliseconds from the request to its last byte. Rejects if
 * status, length or digest are wrong. `digest` is that of the name unless given.
 */
export const download = async (
  { url, name }: Asked,
  agent: Agent | false = false,
  digest = digestOf(name),
): Promise<number> => {
  const hash = createHash('sha256');
  const began = performance.now();
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  response.on('data', (chunk: Buffer) => hash.update(chunk));
  await once(response, 'end');
  const took = performance.now() - began;
  if (response.statusCode !== 200) throw new Error(`${url}: status ${response.statusCode}, expected 200`);
  const found = hash.digest('hex');
  if (found !== digest) throw new Error(`${url}: SHA-256 ${found}, expected ${digest}`);
  return took;
};

/** Downloads files with N keep-alive clients. Resolves to the milliseconds of each. */
export const downloadAll = async (files: Iterable<Asked>, clients: number): Promise<number[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const took: number[] = [];
  const left = files[Symbol.iterator]();
  const client = async () => {
    for (let next = left.next(); !next.done; next = left.next()) took.push(await download(next.value, agent));
  };
  try {
    await Promise.all(Array.from({ length: clients }, client));
  } finally {
    agent.destroy();
  }
  return took;
};

/** Clients that read nothing after the heads of their responses. */
export interface SlowClients {
  leave(): void;
}

/** Resolves when all clients have a head. Rejects if a client is refused. */
export const requestAndWait = async (files: readonly Asked[]): Promise<SlowClients> => {
  const agent = new Agent();
  const responses = await Promise.all(
    files.map(async ({ url }) => ((await once(get(url, { agent }), 'response')) as [IncomingMessage])[0]),
  );
  const refused = responses.find(({ statusCode }) => statusCode !== 200);
  if (refused) throw new Error(`${refused.url}: status ${refused.statusCode}, expected 200`);
  return {
    leave: () => {
      for (const response of responses) response.destroy();
    },
  };
};

export const totalOf = (files: readonly Asked[]): number => files.reduce((sum, { name }) => sum + sizeOf(name), 0);
