import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { startFeed } from './feeds.ts';

/** A file as a feed has it. */
export interface FeedFile {
  readonly bytes: Buffer;
  /** `chunked`: the feed does not tell its length; `close`: nor does anything but the connection's end tell the body's. */
  readonly framing: 'length' | 'chunked' | 'close';
  readonly fields?: OutgoingHttpHeaders;
  /** Whether one range is answered with that part; otherwise ranges are not known. */
  readonly ranges?: boolean;
}

/** A feed that sends the first half of each file at once, and does with the second as it is told. */
export interface HalvesFeed {
  readonly url: string;
  /** The header `Range` of every GET for a file so far; undefined where it had none. */
  asked(path: string): readonly (string | undefined)[];
  /** From now on a file is there. */
  put(path: string, file: FeedFile): void;
  /** From now on a file is not there any more. */
  drop(path: string): void;
  /** Answers wait from their heads on. */
  mute(): void;
  /** Second halves wait. */
  hold(): void;
  /** Everything comes, what waits too. */
  release(): void;
  /** In the place of second halves, those that wait too, connections are reset. */
  cut(): void;
  /** The same, but they end in order: in `close` framing a body that broke off looks like one that ended. */
  end(): void;
}

/** A path as it is asked for. */
const asUrl = (path: string): string => new URL(path, 'http://feed').pathname;

type Ending = (response: ServerResponse, rest: Buffer) => void;

const finish: Ending = (response, rest) => response.end(rest);
const reset: Ending = (response) => response.socket?.resetAndDestroy();
const close: Ending = (response) => response.end();

/** What of a file is asked for, and how the answer to it begins. */
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
