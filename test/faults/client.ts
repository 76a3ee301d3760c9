import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';

/** How a client behaves. Bytes count the body. */
export type Manner =
  | { readonly kind: 'reads' }
  | { readonly kind: 'pauses'; readonly after: number; readonly milliseconds: number }
  /** Takes nothing more until something else has happened. */
  | { readonly kind: 'waits'; readonly after: number; readonly during: () => Promise<unknown> }
  | { readonly kind: 'leaves'; readonly when: 'before the head' | 'at the head' | number };

/** What came of one request. `cut`: a response that nobody could take for whole. */
export type Outcome =
  | { readonly kind: 'clean'; readonly sha256: string; readonly bytes: number; readonly cached: boolean }
  | { readonly kind: 'refused'; readonly status: number; readonly noStore: boolean; readonly bySquid: boolean }
  | { readonly kind: 'cut'; readonly bytes: number; readonly error: string }
  | { readonly kind: 'left' }
  | { readonly kind: 'hang' };

/** Milliseconds after which a request that came to no end counts as one that never would. */
const HANGS = 60_000;

/** One request, over a connection of its own. Never rejects. */
export const ask = (url: string, manner: Manner = { kind: 'reads' }): Promise<Outcome> =>
  new Promise((resolve) => {
    const agent = new Agent({ keepAlive: false });
    let over = false;
    const end = (outcome: Outcome) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      request.destroy();
      agent.destroy();
      resolve(outcome);
    };
    const request: ClientRequest = get(url, { agent }, (response) => follow(response, manner, end));
    const timer = globalThis.setTimeout(() => end({ kind: 'hang' }), HANGS);
    request.on('error', (error) => end({ kind: 'cut', bytes: 0, error: error.message }));
    if (manner.kind === 'leaves' && manner.when === 'before the head')
      request.on('finish', () => setImmediate(() => end({ kind: 'left' })));
  });

const follow = (response: IncomingMessage, manner: Manner, end: (outcome: Outcome) => void): void => {
  const hash = createHash('sha256');
  const { statusCode: status = 0, headers } = response;
  let bytes = 0;
  let paused = false;

  response.on('error', (error) => end({ kind: 'cut', bytes, error: error.message }));
  if (manner.kind === 'leaves' && manner.when === 'at the head') {
    end({ kind: 'left' });
    return;
  }
  response.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
    if (manner.kind === 'leaves' && typeof manner.when === 'number' && bytes > manner.when) end({ kind: 'left' });
    if (paused || (manner.kind !== 'pauses' && manner.kind !== 'waits') || bytes <= manner.after) return;
    paused = true;
    response.pause();
    const over = manner.kind === 'pauses' ? setTimeout(manner.milliseconds) : manner.during();
    void over.finally(() => response.resume());
  });
  response.on('close', () => {
    const cached = headers['x-cache']?.toString().startsWith('HIT') ?? false;
    const noStore = headers['cache-control'] === 'no-store';
    if (!response.complete) end({ kind: 'cut', bytes, error: 'closed too early' });
    else if (status === 200) end({ kind: 'clean', sha256: hash.digest('hex'), bytes, cached });
    else end({ kind: 'refused', status, noStore, bySquid: headers['x-squid-error'] !== undefined });
  });
};
