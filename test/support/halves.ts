import type { ServerResponse } from 'node:http';
import type { startFeed } from './feeds.ts';

/** A feed that sends the first half of each file at once, and does with the second as it is told. */
export interface HalvesFeed {
  readonly url: string;
  /** The header `Range` of every request for a file so far; undefined where it had none. */
  asked(path: string): readonly (string | undefined)[];
  /** From now on a file is there; `chunked`: the feed does not tell its length. */
  put(path: string, bytes: Buffer, framing?: 'length' | 'chunked'): void;
  /** Second halves wait. */
  hold(): void;
  /** Second halves come, those that wait too. */
  release(): void;
  /** In the place of second halves, those that wait too, connections are reset. */
  cut(): void;
}

/** A path as it is asked for. */
const asUrl = (path: string): string => new URL(path, 'http://feed').pathname;

type Ending = (response: ServerResponse, rest: Buffer) => void;

const finish: Ending = (response, rest) => response.end(rest);
const reset: Ending = (response) => response.socket?.resetAndDestroy();

export const startHalves = async (start: typeof startFeed): Promise<HalvesFeed> => {
  const files = new Map<string, { readonly bytes: Buffer; readonly framing: 'length' | 'chunked' }>();
  const waiting = new Set<(ending: Ending) => void>();
  let ending: Ending | undefined = finish;
  const { url, requests } = await start((request, response) => {
    const file = files.get(request.url ?? '');
    if (!file) return response.writeHead(404).end();
    const { bytes, framing } = file;
    response.writeHead(200, framing === 'length' ? { 'Content-Length': bytes.length } : {});
    const half = bytes.length >> 1;
    return response.write(bytes.subarray(0, half), () => {
      const go = (how: Ending) => how(response, bytes.subarray(half));
      if (ending) go(ending);
      else waiting.add(go);
    });
  });
  const become = (next: Ending | undefined) => {
    ending = next;
    if (!next) return;
    for (const go of waiting) go(next);
    waiting.clear();
  };
  return {
    url,
    asked: (path) => requests.filter((request) => request.url === asUrl(path)).map(({ headers }) => headers.range),
    put: (path, bytes, framing = 'length') => files.set(asUrl(path), { bytes, framing }),
    hold: () => become(undefined),
    release: () => become(finish),
    cut: () => become(reset),
  };
};
