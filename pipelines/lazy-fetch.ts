import type { LazyFetchDeps } from './dependencies.ts';
import type { StreamEvent, StreamRequest } from './model/index.ts';
import { fuse } from './operators/fuse.ts';
import { given } from './operators/operate.ts';
import type { Flow } from './operators/valve.ts';
import { answerFromCatalog } from './stages/answer-from-catalog.ts';
import { attempts } from './stages/attempts/attempts.ts';
import { candidates } from './stages/candidates.ts';
import { clientTimeout } from './stages/client-timeout.ts';
import { earlierRevision } from './stages/earlier-revision.ts';
import { folder } from './stages/folder.ts';
import { handOver } from './stages/hand-over.ts';
import { headFromCatalog } from './stages/head-from-catalog.ts';
import { recordHealth } from './stages/health/record-health.ts';
import { holdSlices } from './stages/hold-slices.ts';
import { inTime } from './stages/in-time.ts';
import { keep } from './stages/keep.ts';
import { findEntries } from './stages/lookup.ts';
import { madeFile } from './stages/made-file.ts';
import { multipart } from './stages/multipart.ts';
import { report } from './stages/report.ts';
import { requestSave } from './stages/request-save.ts';
import { share } from './stages/share.ts';
import { decorated, type Transfer } from './stages/transfer.ts';
import { verify } from './stages/verify.ts';

/**
 * Fetches content the moment a client asks for it.
 *
 * Emits notes, one `head`, the `chunk`s of the whole body or of the requested part, and one `end`
 * with the report; then completes. Chunks come no faster than the valve allows.
 * Errors with a StreamError: before the head if no source delivers, after it if the body cannot be
 * completed correctly. After the head the connection must then be reset, so that no client takes a
 * part for the whole. Unsubscribing closes everything that is open at once.
 */
export const lazyFetch = (request: StreamRequest, deps: LazyFetchDeps): Flow<StreamEvent> => prepare(deps)(request);

/** `lazyFetch` for many requests. Each may have a `report` and a `watch` of its own instead. */
export const prepare = (deps: LazyFetchDeps) => {
  const { scheduler } = deps;
  const found = findEntries(deps);
  const answer = decorated(transfer(deps), [
    (inner) => inTime(deps, inner), //            a head before the client gives up
    (inner) => holdSlices(deps, inner), //        a slice, complete or not at all
    earlierRevision, //                           what its feed has removed
    (inner) => answerFromCatalog(deps, inner), // no transfer if the catalog suffices
    handOver, //                                  a proxy sends a file itself
    (inner) => multipart(deps, inner), //         ranges, from the whole if need be
    (inner) => headFromCatalog(deps, inner), //   no feed for HEAD
    (inner) => share(deps, inner), //             one transfer for many clients
  ]);
  return (
    request: StreamRequest,
    { report: told, watch }: Pick<LazyFetchDeps, 'report' | 'watch'> = deps,
  ): Flow<StreamEvent> =>
    given(
      request,
      fuse(
        found, //        the entries of the path, newest first
        answer(request),
        madeFile(request, deps), //                             what the catalog itself writes
        folder(request, deps), //                               a listing, or the missing slash
        clientTimeout(deps), //                                 disconnects a stuck client
        report(request, { scheduler, report: told, watch }), // one report for each request
      ),
    );
};

/**
 * The content or one range of it; with a `start`, the rest of a body that another transfer began.
 */
const transfer = (deps: LazyFetchDeps): Transfer => {
  const [found, recorded] = [candidates(deps), recordHealth(deps)];
  return (request, start, mayFallBehind) => {
    const shared = { ...deps, mayFallBehind };
    return fuse(
      found, //                             ways to obtain the bytes, best first
      attempts(request, shared, start), //  tries, resumes and replaces them
      verify(request, shared, start), //    holds the end until all is verified
      recorded, //                          failed sources come last for a while
      keep(request, deps), //               writes a copy while the bytes pass
      requestSave(request, deps, start), // requests once that the unit be saved
    );
  };
};
