import { createHash, type Hash, randomUUID } from 'node:crypto';
import { type Observable, tap } from 'rxjs';
import {
  type Candidate,
  candidates,
  createLengths,
  createSliceMemory,
  type Digest,
  type LazyFetchDeps,
  lazyFetch,
  lookup,
  type NewDigest,
  type Report,
  type StreamEvent,
  type StreamRequest,
  streamRequest,
} from '../../pipelines/index.ts';
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

export interface FetchOptions extends Partial<Omit<StreamRequest, 'path'>> {
  /** Told once what happened, however it ended: also where the consumer left and no event could say so. */
  readonly report?: (report: Report) => void;
}

/** What `composeStreamer` needs; everything else has a default. */
export type StreamerParts = Omit<LazyFetchDeps, 'newDigest' | 'random' | 'report'> &
  Partial<Pick<LazyFetchDeps, 'random'>> & {
    /** Told of each attempt that failed, as it fails. */
    readonly failed?: (candidate: Candidate) => void;
  };

export interface Streamer {
  /**
   * Fetches one path; nothing happens before subscription, and each subscription is a request of its own.
   * Emits notes, one `head`, `chunk`s while `valve` is open (without a valve: as they come), and one `end`; completes after it.
   * Errors with a StreamError. Unsubscribing closes whatever is open at once. See `lazyFetch`.
   */
  fetch(path: string, options?: FetchOptions): Observable<StreamEvent>;
  /**
   * Emits the candidates that `fetch` would try, in order, without opening any; then completes. Errors with `NOT_IN_CATALOG`,
   * `NO_CANDIDATE` or `CATALOG_UNAVAILABLE`.
   */
  explain(path: string): Observable<readonly Candidate[]>;
}

/** The pipeline over given dependencies: for the daemon, and for embedders with a catalog or sources of their own. */
export const composeStreamer = (parts: StreamerParts): Streamer => {
  const requestOf = (path: string, options: Omit<FetchOptions, 'report'> = {}): StreamRequest =>
    streamRequest({ ...options, path, id: options.id ?? randomUUID() });
  const random = parts.random ?? Math.random;
  const memories = { lengths: createLengths(), slices: createSliceMemory() };

  return {
    fetch: (path, { report, ...options } = {}) =>
      lazyFetch(requestOf(path, options), {
        scheduler: steadyClock,
        ...memories,
        ...parts,
        random,
        newDigest,
        report,
      }).pipe(
        tap((event) => {
          if (event.type === 'failed') parts.failed?.(event.candidate);
        }),
      ),
    explain: (path) => lookup(requestOf(path), parts).pipe(candidates(parts)),
  };
};
