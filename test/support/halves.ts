import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { startFeed } from './feeds.ts';

/** A file at a feed. */
export interface FeedFile {
  readonly bytes: Buffer;
  /**
   * `chunked`: the feed does not state its length. `close`: only the end of the connection ends the
   * body.
   */
  readonly framing: 'length' | 'chunked' | 'close';
  readonly fields?: OutgoingHttpHeaders;
  /** Whether one range is answered with that part. Otherwise ranges are not supported. */
  readonly ranges?: boolean;
}

/** A feed that sends the first half of each file at once, and the second half on command. */
export interface HalvesFeed {
  readonly url: string;
  /** The header `Range` of every GET for a file so far; undefined if it had none. */
  asked(path: string): readonly (string | undefined)[];
  /** Adds a file. */
  put(path: string, file: FeedFile): void;
  /** Removes a file. */
  drop(path: string): void;
  /** Makes answers wait before their heads. */
  mute(): void;
  /** Makes second halves wait. */
  hold(): void;
  /** Sends everything, including held answers. */
  release(): void;
  /** Resets connections instead of sending second halves, including held ones. */
  cut(): void;
  /**
   * The same, but connections end in order: in `close` framing a broken body looks like a complete
   * one.
   */
  end(): void;
}

/** A path as in a request. */
const asUrl = (path: string): string => new URL(path.replace(/%(?![0-9A-F]{2})/g, '%25'), 'http://feed').pathname;

type Ending = (response: ServerResponse, rest: Buffer) => void;

const finish: Ending = (response, rest) => response.end(rest);
const reset: Ending = (response) => response.socket?.resetAndDestroy();
const close: Ending = (response) => response.end();

/** The requested part of a file, and the beginning of the answer. */
const answerOf = ({ bytes, framing, fields, ranges }: FeedFile, { headers }: IncomingMessage) => {
  const [, from, to] = (ranges && /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')) || [];
  const first = Number(from ?? 0);
  const last = Math.min(to ? Number(to) : Number.POSITIVE_INFINITY, bytes.length - 1);
  const holds = !headers['if-range'] || [fields?.ETag, fields?.['Last-Modified']].includes(headers['if-range']);
  const part = from !== undefined && first <= last && holds ? bytes.subarray(first, last + 1) : undefined;
  const body = part ?? bytes;
  const head: OutgoingHttpHeaders = {
    ...fields,
    ...(framing === 'length' ? { 'Content-Length': body.length } : {}),
    ...(part ? { 'Content-Range': `bytes ${first}-${last}/${bytes.length}` } : {}),
  };
  return { status: part ? 206 : 200, head, body };
};

export const startHalves = async (start: typeof startFeed): Promise<HalvesFeed> => {
  const files = new Map<string, FeedFile>();
  const waiting = new Set<() => void>();
  let muted = false;
  let ending: Ending | undefined = finish;

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const file = files.get(request.url ?? '');
    if (!file) return response.writeHead(404).end();
    const { status, head, body } = answerOf(file, request);
    if (file.framing === 'close') response.useChunkedEncodingByDefault = false;
    response.writeHead(status, head);
    if (request.method === 'HEAD') return response.end();
    const half = body.length >> 1;
    return response.write(body.subarray(0, half), () => {
      const go = () => ending?.(response, body.subarray(half));
      if (ending) go();
      else waiting.add(go);
    });
  };

  const { url, requests } = await start((request, response) => {
    if (muted) waiting.add(() => answer(request, response));
    else answer(request, response);
  });

  const become = (next: Ending | undefined) => {
    ending = next;
    muted = false;
    if (!next) return;
    const due = [...waiting];
    waiting.clear();
    for (const go of due) go();
  };
  return {
    url,
    asked: (path) =>
      requests
        .filter((request) => request.url === asUrl(path) && request.method === 'GET')
        .map(({ headers }) => headers.range),
    put: (path, file) => files.set(asUrl(path), file),
    drop: (path) => files.delete(asUrl(path)),
    mute: () => {
      muted = true;
    },
    hold: () => become(undefined),
    release: () => become(finish),
    cut: () => become(reset),
    end: () => become(close),
  };
};
