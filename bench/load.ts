import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { digestOf, sizeOf } from './content.ts';
import type { Asked } from './relay.ts';

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

/**
 * Downloads files with N keep-alive clients, all at one address. Resolves to the milliseconds of
 * each.
 */
export const downloadAll = async (
  files: Iterable<Asked>,
  clients: number,
  localAddress = '127.0.0.1',
): Promise<number[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients, localAddress });
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

/** Requests on one connection, as many as nginx and the streamer answer by default. */
const PER_CONNECTION = 1_000;

/**
 * Downloads files with pipelined requests: all of a connection are sent before its first response
 * is read. One connection follows the other. Rejects if a response or a digest is wrong.
 */
export const downloadPipelined = async (files: readonly Asked[]): Promise<void> => {
  for (let from = 0; from < files.length; from += PER_CONNECTION)
    await pipeline(files.slice(from, from + PER_CONNECTION));
};

const pipeline = async (files: readonly Asked[]): Promise<void> => {
  const [first] = files;
  if (!first) return;
  const { hostname, port, host } = new URL(first.url);
  const socket = connect(Number(port), hostname);
  try {
    socket.write(files.map(({ url }) => `GET ${new URL(url).pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''));
    let read = Buffer.alloc(0);
    let answered = 0;
    for await (const bytes of socket) {
      read = Buffer.concat([read, bytes]);
      for (let end = bodyEnd(read); end !== undefined && answered < files.length; end = bodyEnd(read)) {
        const { url, name } = files[answered++] as Asked;
        const body = read.subarray(end - sizeOf(name), end);
        const found = createHash('sha256').update(body).digest('hex');
        if (found !== digestOf(name)) throw new Error(`${url}: SHA-256 ${found}, expected ${digestOf(name)}`);
        read = read.subarray(end);
      }
      if (answered === files.length) return;
    }
    throw new Error(`${host} closed a connection after ${answered} of ${files.length} pipelined requests`);
  } finally {
    socket.destroy();
  }
};

/** Where the first response ends. Undefined if more of it has to be read. */
const bodyEnd = (read: Buffer): number | undefined => {
  const head = read.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const fields = read.toString('latin1', 0, head);
  const length = /^HTTP\/1\.1 200 [\s\S]*\r\nContent-Length: (\d+)/i.exec(fields)?.[1];
  if (length === undefined) throw new Error(`expected status 200 and a length, got ${fields}`);
  const end = head + 4 + Number(length);
  return end <= read.length ? end : undefined;
};

/** Clients that connect at the same time: more would not fit into the queues of listening sockets. */
const AT_ONCE = 100;

function* groupsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += AT_ONCE) yield all.slice(from, from + AT_ONCE);
}

/** Clients that read nothing after the heads of their responses. */
export interface SlowClients {
  /** Throws if a client with a head was cut off before. */
  leave(): void;
}

/** Resolves when all clients have a head. Rejects if a client is refused. */
export const requestAndWait = async (files: readonly Asked[]): Promise<SlowClients> => {
  const agent = new Agent();
  const responses: IncomingMessage[] = [];
  for (const group of groupsOf(files))
    responses.push(
      ...(await Promise.all(
        group.map(async ({ url }) => ((await once(get(url, { agent }), 'response')) as [IncomingMessage])[0]),
      )),
    );
  const refused = responses.findIndex(({ statusCode }) => statusCode !== 200);
  if (refused >= 0) throw new Error(`${files[refused]?.url}: status ${responses[refused]?.statusCode}, expected 200`);
  let cut: Error | undefined;
  for (const response of responses)
    response.on('error', (error) => {
      cut ??= error;
    });
  return {
    leave: () => {
      const before = cut;
      for (const response of responses) response.destroy();
      if (before) throw new Error(`a client was cut off: ${before.message}`);
    },
  };
};

/** The same, without waiting for heads: some clients may be refused. */
export const requestOnly = async (files: readonly Asked[]): Promise<SlowClients> => {
  const agent = new Agent();
  const requests: ClientRequest[] = [];
  for (const group of groupsOf(files)) {
    // Without a listener for it, a response would be read and discarded.
    const sent = group.map(({ url }) =>
      get(url, { agent }, (response) => response.on('error', () => {})).on('error', () => {}),
    );
    await Promise.all(sent.map((request) => once(request, 'finish')));
    requests.push(...sent);
  }
  return {
    leave: () => {
      for (const request of requests) request.destroy();
    },
  };
};

export const totalOf = (files: readonly Asked[]): number => files.reduce((sum, { name }) => sum + sizeOf(name), 0);
