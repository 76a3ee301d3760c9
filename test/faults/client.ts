import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Part } from '../../pipelines/index.ts';

/** How a client behaves. Bytes count the body. */
export type Manner =
  | { readonly kind: 'reads' }
  | { readonly kind: 'pauses'; readonly after: number; readonly milliseconds: number }
  /** Stops reading until another event. */
  | { readonly kind: 'waits'; readonly after: number; readonly during: () => Promise<unknown> }
  | { readonly kind: 'leaves'; readonly when: 'before the head' | 'at the head' | number };

/**
 * The outcome of one request. `cut`: a response that broke off. If all bytes promised by its head
 * had arrived, it may still be mistaken for a complete one.
 */
export type Outcome =
  | {
      readonly kind: 'clean';
      readonly status: 200 | 206;
      readonly sha256: string;
      readonly bytes: number;
      /** A hit of Squid. */
      readonly cached: boolean;
      /** It came from a transfer that another client had begun. */
      readonly shared: boolean;
    }
  | { readonly kind: 'refused'; readonly status: number; readonly noStore: boolean; readonly bySquid: boolean }
  | { readonly kind: 'cut'; readonly bytes: number; readonly promised?: number; readonly error: string }
  | { readonly kind: 'left' }
  | { readonly kind: 'hang' };

/** Milliseconds after which an unfinished request counts as hanging. */
const HANGS = 120_000;

/** Whether a response broke off only after all promised bytes: its client may not notice. */
export const cutTooLate = (outcome: Outcome): boolean =>
  outcome.kind === 'cut' && outcome.promised !== undefined && outcome.bytes > 0 && outcome.bytes >= outcome.promised;

/** One request, of the whole or of a part, over a separate connection. Never rejects. */
export const ask = (url: string, manner: Manner = { kind: 'reads' }, part?: Part): Promise<Outcome> =>
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
    const headers = part ? { range: `bytes=${part.first}-${part.last}` } : {};
    const request: ClientRequest = get(url, { agent, headers }, (response) => follow(response, manner, end));
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

  const cut = (error: string) => {
    const length = headers['content-length'];
    end({ kind: 'cut', bytes, ...(length !== undefined && { promised: Number(length) }), error });
  };
  response.on('error', (error) => cut(error.message));
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
    const shared = headers['cache-status']?.includes('collapsed') ?? false;
    const noStore = headers['cache-control'] === 'no-store';
    if (!response.complete) cut('closed too early');
    else if (status === 200 || status === 206)
      end({ kind: 'clean', status, sha256: hash.digest('hex'), bytes, cached, shared });
    else end({ kind: 'refused', status, noStore, bySquid: headers['x-squid-error'] !== undefined });
  });
};
