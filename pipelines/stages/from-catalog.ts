import { concat, map, Observable, of } from 'rxjs';
import type { Chunk, Head, StreamRequest } from '../model/index.ts';
import { type Flow, followValve, type Valve } from '../operators/valve.ts';
import { NO_STORE } from './client-head.ts';
import type { TransferEvent } from './transfer.ts';

/** A head that comes from the catalog alone. Caches do not keep it: any import may change it. */
export const fromCatalog = (path: string, head: Pick<Head, 'status' | 'length' | 'whole' | 'headers'>): Head => ({
  type: 'head',
  first: 0,
  candidate: {
    entry: { path, importerId: '', unitId: '', unitTypeId: 'folder', url: '', revision: 0, data: {} },
    source: { kind: 'catalog', id: '' },
    url: '',
  },
  verified: false,
  ...head,
  headers: [...head.headers, NO_STORE],
});

/** Emits a head, and for GET all bytes as one chunk once the valve is open; then completes. */
export const bytesFromCatalog = (
  { path, method }: Pick<StreamRequest, 'path' | 'method'>,
  bytes: Uint8Array,
  headers: Head['headers'],
): Flow<TransferEvent> => {
  const head = fromCatalog(path, { status: 200, length: bytes.length, whole: true, headers });
  return (valve) => (method === 'HEAD' ? of(head) : concat(of(head), whenOpen(valve).pipe(map(() => chunkOf(bytes)))));
};

export const chunkOf = (bytes: Uint8Array): Chunk => ({ type: 'chunk', bytes });

/** Emits once, as soon as the valve is open, and completes. */
export const whenOpen = (valve: Valve): Observable<void> =>
  new Observable((out) => {
    let open = true;
    const go = () => {
      if (!open) return;
      out.next();
      out.complete();
    };
    followValve(valve, out, (moved) => {
      open = moved;
      go();
    });
    go();
  });
