import { defer, EMPTY, mergeMap, throwIfEmpty } from 'rxjs';
import { type Catalog, decodePath, StreamError, type StreamRequest } from '../model/index.ts';
import { fuse } from '../operators/fuse.ts';
import { operate, type Stage } from '../operators/operate.ts';
import { bytesFromCatalog } from './from-catalog.ts';
import type { TransferEvent } from './transfer.ts';

/**
 * Answers a path that the catalog does not have with a file that the catalog itself writes, if it
 * does: see `Catalog.made`. Other events and errors pass unchanged.
 */
export const madeFile = (
  request: StreamRequest,
  { catalog }: { readonly catalog: Pick<Catalog, 'made'> },
): Stage<TransferEvent, TransferEvent> => {
  const { path, askedAs } = request;
  return catalog.made && askedAs
    ? operate((out, valve) => ({
        next: (event) => out.next(event),
        error: (error) => {
          if (!(error instanceof StreamError) || error.code !== 'NOT_IN_CATALOG') throw error;
          defer(() => catalog.made?.(decodePath(path), askedAs) ?? EMPTY)
            .pipe(
              throwIfEmpty(() => error),
              mergeMap(({ type, text }) =>
                bytesFromCatalog(request, new TextEncoder().encode(text), [['Content-Type', type]])(valve),
              ),
            )
            .subscribe(out);
        },
      }))
    : fuse();
};
