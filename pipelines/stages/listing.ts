import { concat, concatMap, defer, map, type Observable, of, repeat, takeWhile, tap, throwError, toArray } from 'rxjs';
import { type Child, type Head, StreamError, type StreamRequest } from '../model/index.ts';
import type { Valve } from '../operators/valve.ts';
import { bytesFromCatalog, chunkOf, fromCatalog, whenOpen } from './from-catalog.ts';
import { type Format, HTML, JSON_LIST } from './listing-formats.ts';
import type { TransferEvent } from './transfer.ts';

/** Children that are read from the catalog, and held, at a time. */
export const PAGE = 500;

/** A folder, and the first page of its children. */
export interface Listed {
  readonly folder: string;
  readonly page: readonly Child[];
}

/**
 * Emits the listing of a folder: a head, and for GET its chunks, one for each page, while the valve
 * is open; then completes. A folder of one page has a stated length. Errors as the catalog does, or
 * with `LENGTH_UNKNOWN` if the client needs a length.
 *
 * @param next reads the page of the children after one
 */
export const listing = (
  request: StreamRequest,
  { folder, page }: Listed,
  next: (after: Child | undefined) => Observable<Child>,
  valve: Valve,
): Observable<TransferEvent> => {
  const { method, listAs, lengthRequired } = request;
  const format = listAs === 'json' ? JSON_LIST : HTML;
  const whole = page.length < PAGE ? bytesOf(wholeText(format, folder, page)) : undefined;
  if (lengthRequired && !whole)
    return throwError(() => new StreamError('LENGTH_UNKNOWN', 'catalog', `${folder} has too many files for one page`));
  const headers: Head['headers'] = [
    ['Content-Type', format.type],
    ['Vary', 'Accept'],
    ['X-Robots-Tag', 'noindex'],
  ];
  if (whole) return bytesFromCatalog({ path: folder, method }, whole, headers)(valve);
  const head = fromCatalog(folder, { status: 200, whole: true, headers });
  if (method === 'HEAD') return of(head);
  const further = defer(() => {
    let after = page.at(-1);
    return whenOpen(valve).pipe(
      concatMap(() => next(after).pipe(toArray())),
      tap((read) => {
        after = read.at(-1) ?? after;
      }),
      repeat(),
      takeWhile((read) => read.length === PAGE, true),
    );
  });
  const texts = concat(
    of(format.begin(folder) + linesOf(format, page)),
    further.pipe(map((read) => read.map((child) => format.between + format.line(child)).join(''))),
    of(format.end),
  );
  return concat(
    of(head),
    whenOpen(valve).pipe(
      concatMap(() => texts),
      map((text) => chunkOf(bytesOf(text))),
    ),
  );
};

const linesOf = ({ line, between }: Format, page: readonly Child[]): string => page.map(line).join(between);

const wholeText = (format: Format, folder: string, page: readonly Child[]): string =>
  format.begin(folder) + linesOf(format, page) + format.end;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
