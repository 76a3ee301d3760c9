import { type Observable, pipe, type SchedulerLike } from 'rxjs';
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
import { answerFromCatalog } from './stages/answer-from-catalog.ts';
import { attempts } from './stages/attempts/attempts.ts';
import type { Lengths } from './stages/attempts/lengths.ts';
import { candidates } from './stages/candidates.ts';
import { clientTimeout } from './stages/client-timeout.ts';
import type { Health } from './stages/health/health.ts';
import { recordHealth } from './stages/health/record-health.ts';
import { holdSlices, type SliceMemory } from './stages/hold-slices.ts';
import { keep } from './stages/keep.ts';
import { lookup } from './stages/lookup.ts';
import { multipart } from './stages/multipart.ts';
import { report } from './stages/report.ts';
import { requestSave } from './stages/request-save.ts';
import { type Sharing, share } from './stages/share.ts';
import { decorated, type Transfer } from './stages/transfer.ts';
import { verify } from './stages/verify.ts';

/** Dependencies of `lazyFetch`. Embedders that neither save nor log leave out the optional ones. */
export interface LazyFetchDeps {
  readonly catalog: Pick<Catalog, 'lookup'>;
  /** Asked in this order for every entry: best first, the feed last. */
  readonly sources: readonly FindCandidates[];
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  readonly policy: Policy;
  /** From 0 to 1: jitter for back-off. */
  readonly random: () => number;
  /** The memory of how sources behaved, shared by all requests; without it every source always counts as well. */
  readonly health?: Health;
  /** The transfers that are under way, for others to join; without it each request has its own. */
  readonly sharing?: Sharing;
  /** The memory of how long contents are whose sources do not say; without it they are asked each time. */
  readonly lengths?: Lengths;
  /** The room for slices that are held; without it each is held whatever others are. */
  readonly slices?: SliceMemory;
  readonly keep?: Keep;
  readonly outbox?: Pick<Outbox, 'append'>;
  readonly report?: (report: Report) => void;
  /** The clock of all waiting and measuring. Default: RxJS's own. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Fetches content the moment a client asks for it.
 *
 * Emits notes of what happens, one `head`, the `chunk`s of one whole body (or of the requested part)
 * no faster than the request's valve allows, and one `end` with the report; then completes.
 *
 * Errors with a StreamError: before the head if no source delivers, after it if the body cannot be
 * brought to its right end. After the head the connection must then be reset, so that no client
 * takes a part for the whole. Unsubscribing closes all that is open at once.
 */
export const lazyFetch = (request: StreamRequest, deps: LazyFetchDeps): Observable<StreamEvent> => {
  const answer = decorated(transfer(deps), [
    (inner) => holdSlices(deps, inner), //        a slice, all at once
    (inner) => answerFromCatalog(deps, inner), // no transfer if the catalog knows enough
    multipart, //                                 one transfer for each range
    (inner) => share(deps, inner), //             one transfer for many clients
  ]);
  return lookup(request, deps).pipe(
    answer(request),
    clientTimeout(request, deps), // a client that is stuck is cut
    report(request, deps), //        one report, whatever happened
  );
};

/** The content itself, or one range of it; from a start on, the rest of a body that another transfer began. */
const transfer =
  (deps: LazyFetchDeps): Transfer =>
  (request, start, mayFallBehind) =>
    pipe(
      candidates(deps), //                                     every way to obtain the bytes, best first
      attempts(request, { ...deps, mayFallBehind }, start), // the first that works; resumed or replaced mid-body
      verify(request, { ...deps, mayFallBehind }, start), //   the end waits until the whole is right
      recordHealth(deps), //                                   sources that fail are tried last for a while
      keep(request, deps), //                                  a copy, while the bytes pass
      requestSave(request, deps, start), //                    one request that this unit be saved
    );
