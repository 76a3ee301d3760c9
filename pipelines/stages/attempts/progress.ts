import { type Candidate, type Chunk, type Head, type Note, type Phase, StreamError } from '../../model/index.ts';
import { type Tail, tailAfter } from '../boundary.ts';
import type { Start } from '../transfer.ts';

/** A failed attempt, as the request remembers it. */
export interface Failure {
  readonly candidate: Candidate;
  readonly error: StreamError;
  /** The byte at which the attempt began to add to the response, and the byte that it reached. */
  readonly from: number;
  readonly sent: number;
}

/** The promises of the response to the client, and the proof that more bytes belong to it. */
export type ResponseSoFar = Pick<Head, 'candidate' | 'first' | 'last' | 'total' | 'whole' | 'etag'>;

/** How far a request has come. A value: each step makes a new one. */
export interface Progress {
  readonly candidates: readonly Candidate[];
  readonly failures: readonly Failure[];
  /** Undefined until a head is sent. */
  readonly soFar: ResponseSoFar | undefined;
  /** Bytes of the body that the client has received. */
  readonly sent: number;
  /** These bytes have no digest: their sources checked them, or they need no proof. */
  readonly undigested: boolean;
  /** The last bytes of a part. */
  readonly tail?: Tail | undefined;
}

export const beginning = (candidates: readonly Candidate[], start?: Start): Progress => ({
  candidates,
  failures: [],
  soFar: start?.head,
  sent: start?.sent ?? 0,
  undigested: start !== undefined && isUndigested(start.head) && start.digest === undefined,
  tail: start?.tail,
});

const isUndigested = ({ checked, candidate }: Head): boolean => Boolean(checked || candidate.unproven);

/** After an event for the client. */
export const afterEvent = (progress: Progress, event: Head | Chunk | Note): Progress => {
  if (event.type === 'chunk') {
    const { sent, soFar, tail } = progress;
    return { ...progress, sent: sent + event.bytes.length, tail: tailAfter(soFar, tail, event.bytes) };
  }
  if (event.type === 'head') return { ...progress, soFar: event, undigested: isUndigested(event) };
  return event.type === 'resumed' && event.digest ? { ...progress, undigested: false } : progress;
};

/** After an attempt that began at byte `from` and failed. */
export const afterFailure = (progress: Progress, failed: Omit<Failure, 'sent'>): Progress => ({
  ...progress,
  failures: [...progress.failures, { ...failed, sent: progress.sent }],
});

export const phaseOf = ({ sent, soFar }: Progress): Phase => {
  if (sent > 0) return 'mid-body';
  return soFar ? 'before-first-byte' : 'before-head';
};

/**
 * Whether all bytes have arrived: those of a part, or those of the whole if a checksum will judge
 * them. The end that the source failed to send is then not missed.
 */
export const needsNoMore = ({ soFar, sent }: Progress): boolean => {
  if (!soFar || sent === 0) return false;
  const { whole, first, last, total, candidate } = soFar;
  return whole ? total === sent && candidate.entry.checksum !== undefined : last === first + sent - 1;
};

/**
 * Why the request failed: the only failure, or the most specific of several. Missing bytes
 * explain little, missing files least. A source of which the catalog said nothing may have had the
 * content: the request is worth repeating, whatever other sources answered.
 */
export const summary = ({ failures }: Progress): StreamError => {
  // The length of outdated content does not concern the newest.
  const isForeign = ({ candidate, error }: Failure) => candidate.outdated && error.code === 'UNSATISFIABLE';
  const own = failures.filter((failure) => !isForeign(failure));
  const counting = own.length > 0 ? own : failures;
  const errors = counting.map(({ error }) => error);
  // A source that failed and then answered has answered.
  const last = counting
    .filter(({ candidate }, at) => !counting.some((later, when) => when > at && later.candidate === candidate))
    .map(({ error }) => error);
  const decisive =
    last.find(({ code }) => code === 'CATALOG_UNAVAILABLE') ??
    last.findLast(({ code }) => code !== 'SOURCE_MISSING' && code !== 'UNSATISFIABLE') ??
    last.findLast(({ code }) => code === 'UNSATISFIABLE') ??
    last.at(-1);
  if (!decisive) return new StreamError('OUT_OF_SOURCES', 'self', 'no attempt is allowed: attempts is 0');
  if (errors.length === 1) return decisive;
  const messages = [...new Set(errors.map(({ message }) => message))].join('; ');
  const { code, source, sourceStatus, retryAfter, length } = decisive;
  return new StreamError(code, source, `every source failed; ${messages}`, {
    cause: decisive,
    sourceStatus,
    retryAfter,
    length,
  });
};
