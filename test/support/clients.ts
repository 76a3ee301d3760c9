import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

/** What a client has of a response. */
export interface Received {
  readonly status: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Asks on a connection of its own; resolves when the head is there, rejects where the connection breaks before it. */
export const ask = async (
  url: string,
  headers: OutgoingHttpHeaders = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<IncomingMessage> => {
  const asked = request(url, { agent: false, headers, method }).end();
  const [response] = await once(asked, 'response');
  // A reset in mid-body is told here, and by the response.
  asked.on('error', () => {});
  return response;
};

/** A response as a whole. */
export interface Whole {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly sha256: string;
}

/** Reads a response to its end. Rejects where it does not come to it. */
export const readWhole = async (response: IncomingMessage): Promise<Whole> => {
  const { statusCode: status, headers } = response;
  const body = await buffer(response);
  return { status, headers, body, sha256: createHash('sha256').update(body).digest('hex') };
};

export const askWhole = async (...asked: Parameters<typeof ask>): Promise<Whole> => readWhole(await ask(...asked));

/** The body at no more than so many bytes a second: the connection is not read from meanwhile. */
export async function* paced(response: IncomingMessage, rate: number): AsyncGenerator<Buffer> {
  const began = performance.now();
  let bytes = 0;
  for await (const chunk of response) {
    yield chunk;
    bytes += chunk.length;
    const early = began + (1000 * bytes) / rate - performance.now();
    if (early > 0) await setTimeout(early);
  }
}

/** Reads a body, at a rate where one is given. Rejects where it does not come to its end. */
export const receive = async (url: string, rate = Number.POSITIVE_INFINITY): Promise<Received> => {
  const response = await ask(url);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of paced(response, rate)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { status: response.statusCode ?? 0, bytes, sha256: hash.digest('hex') };
};
