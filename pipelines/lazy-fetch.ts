import type { Observable, SchedulerLike } from 'rxjs';
import type {
  Catalog,
  FindCandidates,
  Keep,
  NewDigest,
  OpenSource,
  Outbox,
  Policy,
  Report,
  StreamEvent,
  StreamRequest,
} from './model/index.ts';
import { fuse } from './operators/fuse.ts';
import { answerFromCatalog } from './stages/answer-from-catalog.ts';
import { attempts } from './stages/attempts/attempts.ts';
import type { Lengths } from './stages/attempts/lengths.ts';
import { candidates } from './stages/candidates.ts';
import { clientTimeout } from './stages/client-timeout.ts';
import { handOver } from './stages/hand-over.ts';
import type { Health } from './stages/health/health.ts';
import { recordHealth } from './stages/health/record-health.ts';
import { holdSlices, type SliceMemory } from './stages/hold-slices.ts';
import { inTime } from './stages/in-time.ts';
import { keep } from './stages/keep.ts';
import { lookup } from './stages/lookup.ts';
import { multipart } from './stages/multipart.ts';
import { report } from './stages/report.ts';
import { requestSave } from './stages/request-save.ts';
import { type Sharing, share } from './stages/share.ts';
import { decorated, type Transfer } from './stages/transfer.ts';
import { verify } from './stages/verify.ts';

/** Dependencies of `lazyFetch`. Embedders that do not save or log omit the optional ones. */
export interface LazyFetchDeps {
  readonly catalog: Pick<Catalog, 'lookup' | 'spelling'>;
  /** Queried in this order for every entry: best first, the feed last. */
  readonly sources: readonly FindCandidates[];
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  readonly policy: Policy;
  /** From 0 to 1: jitter for back-off. */
  readonly random: () => number;
  /** The past behaviour of sources, shared by all requests. Without it, sources keep their order. */
  readonly health?: Health;
  /** Transfers in progress that other requests may join. Without it, each request has its own. */
  readonly sharing?: Sharing;
  /** Lengths of contents whose sources send none. Without it, those sources are asked each time. */
  readonly lengths?: Lengths;
  /** Memory for held slices. Without it, their number is not limited. */
  readonly slices?: SliceMemory;
  readonly keep?: Keep;
  readonly outbox?: Pick<Outbox, 'append'>;
  readonly report?: (report: Report) => void;
  /** Clock of all timers and measurements. Default: the RxJS clock. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Fetches content the moment a client asks for it.
 *
 * Emits notes, one `head`, the `chunk`s of the whole body or of the requested part, and one `end`
 * with the report; then completes. Chunks come no faster than the request's valve allows.
 * Errors with a StreamError: before the head if no source delivers, after it if the body cannot be
 * completed correctly. After the head the connection must then be reset, so that no client takes a
 * part for the whole. Unsubscribing closes everything that is open at once.
 */
export const lazyFetch = (request: StreamRequest, deps: LazyFetchDeps): Observable<StreamEvent> => {
  const answer = decorated(transfer(deps), [
    (inner) => inTime(deps, inner), //            a head before the client gives up
    (inner) => holdSlices(deps, inner), //        a slice, complete or not at all
    (inner) => answerFromCatalog(deps, inner), // no transfer if the catalog suffices
    handOver, //                                  a proxy sends a file itself
    multipart, //                                 one transfer for each range
    (inner) => share(deps, inner), //             one transfer for many clients
  ]);
  return lookup(request, deps).pipe(
    fuse(
      answer(request),
      clientTimeout(request, deps), // disconnects a stuck client
      report(request, deps), //        one report for each request
    ),
  );
};

/**
 * The content or one range of it; with a `start`, the rest of a body that another transfer began.
 */
const transfer =
  (deps: LazyFetchDeps): Transfer =>
  (request, start, mayFallBehind) =>
    fuse(
      candidates(deps), //                                     ways to obtain the bytes, best first
      attempts(request, { ...deps, mayFallBehind }, start), // tries, resumes and replaces them
      verify(request, { ...deps, mayFallBehind }, start), //   holds the end until all is verified
      recordHealth(deps), //                                   failed sources come last for a while
      keep(request, deps), //                                  writes a copy while the bytes pass
      requestSave(request, deps, start), //                    requests once that the unit be saved
    );
