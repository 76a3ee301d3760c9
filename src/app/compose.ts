import { createHash, type Hash, randomUUID } from 'node:crypto';
import { filter, type Observable } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  candidates,
  createLengths,
  createSliceMemory,
  type Digest,
  flow,
  type LazyFetchDeps,
  lookup,
  type NewDigest,
  OPEN,
  prepare,
  type Report,
  type StreamEvent,
  type StreamRequest,
  streamRequest,
  type Valve,
  type Watch,
} from '../../pipelines/index.ts';
import { owned } from '../lib/owned.ts';
import { pulledUntilAborted, untilAborted } from '../lib/until-aborted.ts';
import { readBytes } from '../sources/bytes.ts';
import { steadyClock } from './steady-clock.ts';

/** Digests by Node's own OpenSSL. */
export const newDigest: NewDigest = (algorithm) => digestOf(createHash(algorithm));

const digestOf = (hash: Hash): Digest => ({
  update: (bytes) => {
    hash.update(bytes);
  },
  copy: () => digestOf(hash.copy()),
  hex: () => hash.digest('hex'),
});

/** One request: which part, under which conditions, at which pace. All fields have defaults. */
export interface FetchOptions extends Partial<Omit<StreamRequest, 'path'>> {
  /**
   * `true` while the consumer wants chunks, `false` while it does not. Sources stop reading while
   * it is `false`. It must emit its present state on subscription, as a `BehaviorSubject` does.
   * Default: always open.
   */
  readonly valve?: Valve;
  /** When it is aborted, everything that is open is closed at once, and the result errors with its reason. */
  readonly signal?: AbortSignal;
  /** Called once with the report, however the transfer ended: also if the consumer unsubscribed. */
  readonly report?: (report: Report) => void;
  /** Gets the progress of the transfer, which changes until its end. */
  readonly watch?: Watch;
}

/** Dependencies of `composeStreamer`; everything else has a default. */
export type StreamerParts = Omit<LazyFetchDeps, 'newDigest' | 'random' | 'report' | 'watch'> &
  Partial<Pick<LazyFetchDeps, 'random'>>;

/** Fetches paths, and explains where it would fetch them from. */
export interface Streamer {
  /**
   * Fetches one path. Nothing happens before subscription, and each subscription is a separate
   * request. Emits notes, one `head`, `chunk`s while `valve` is open (always, if there is no
   * valve), and one `end`, then completes. Errors with a StreamError. Unsubscribing closes
   * everything at once. See `lazyFetch`, and `signal` of the options.
   */
  fetch(path: string, options?: FetchOptions): Observable<StreamEvent>;
  /**
   * Emits the candidates that `fetch` would try, in order, without opening any; then completes.
   * Errors with `NOT_IN_CATALOG`, `NO_CANDIDATE` or `CATALOG_UNAVAILABLE`.
   */
  explain(path: string): Observable<readonly Candidate[]>;
}

/** A streamer whose bodies can also be pulled. */
export interface PulledStreamer extends Streamer {
  /**
   * The body of one path as an async iterable (`for await`, `Readable.from`), with back-pressure.
   * Throws the StreamError of the stream, or the reason of an aborted `signal`; ends only after a
   * complete and verified body. Leaving the loop early unsubscribes.
   */
  bytes(path: string, options?: Omit<FetchOptions, 'valve'>): AsyncIterable<Uint8Array>;
}

/**
 * The pipeline over given dependencies, for embedders with a custom catalog or sources. The chunks
 * that it emits may be kept.
 */
export const composeStreamer = (parts: StreamerParts): PulledStreamer => pulled(owning(composeLending(parts)));

/** A streamer that also has `bytes`. */
export const pulled = <S extends Streamer>(streamer: S): S & PulledStreamer => ({
  ...streamer,
  bytes: (path, options) =>
    pulledUntilAborted(
      readBytes((valve) => streamer.fetch(path, { ...options, valve }).pipe(filter(isChunk))),
      options?.signal,
    ),
});

const isChunk = (event: StreamEvent): event is Chunk => event.type === 'chunk';

/** A streamer whose chunks may be kept. */
export const owning = (streamer: Streamer): Streamer => ({
  fetch: (path, options) => streamer.fetch(path, options).pipe(owned()),
  explain: streamer.explain,
});

/** The pipeline over given dependencies. Its chunks may be lent: see `Chunk`. */
export const composeLending = (parts: StreamerParts): Streamer => {
  const requestOf = (path: string, options: FetchOptions = {}): StreamRequest =>
    streamRequest({ ...options, path, id: options.id ?? randomUUID() });
  const fetch = prepare({
    scheduler: steadyClock,
    lengths: createLengths(),
    slices: createSliceMemory(),
    random: Math.random,
    ...parts,
    newDigest,
  });
  return {
    fetch: (path, { valve = OPEN, report, watch, signal, ...options } = {}) =>
      untilAborted(fetch(requestOf(path, options), { report, watch })(valve), signal),
    explain: (path) => flow(lookup(requestOf(path), parts), candidates(parts))(OPEN),
  };
};
