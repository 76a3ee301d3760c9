import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

/** The part of a response that a client received. */
export interface Received {
  readonly status: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Sends a request on a separate connection. Resolves when the head has arrived; rejects if the
 * connection breaks first.
 */
export const ask = async (
  url: string,
  headers: OutgoingHttpHeaders = {},
  method: 'GET' | 'HEAD' = 'GET',
): Promise<IncomingMessage> => {
  const asked = request(url, { agent: false, headers, method }).end();
  const [response] = await once(asked, 'response');
  // A reset mid-body is reported here and by the response.
  asked.on('error', () => {});
  return response;
};

/** A complete response. */
export interface Whole {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly sha256: string;
}

/** Reads a response to its end. Rejects if it does not reach it. */
export const readWhole = async (response: IncomingMessage): Promise<Whole> => {
  const { statusCode: status, headers } = response;
  const body = await buffer(response);
  return { status, headers, body, sha256: createHash('sha256').update(body).digest('hex') };
};

export const askWhole = async (...asked: Parameters<typeof ask>): Promise<Whole> => readWhole(await ask(...asked));

/**
 * Reads the body at a limited rate, in bytes per second; in between, the connection is not read.
 */
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

/** Reads a body, at a rate if one is given. Rejects if it does not reach its end. */
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
