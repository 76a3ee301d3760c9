import { mergeMap, of } from 'rxjs';
import {
  type CatalogEntry,
  etagOf,
  type Head,
  judge,
  type Policy,
  resolveRange,
  StreamError,
  type StreamRequest,
} from '../model/index.ts';
import { unchangedHead } from './client-head.ts';
import type { Transfer } from './transfer.ts';

/** Answers by the catalog alone where that is enough, else by a transfer. */
export const answerFromCatalog =
  ({ policy }: { readonly policy: Pick<Policy, 'cacheTimeout'> }, transfer: Transfer): Transfer =>
  (request) =>
    mergeMap((entries) => {
      const head = knownAnswer(request, entries, policy);
      return head ? of(head) : of(entries).pipe(transfer(request));
    });

/**
 * The answer that needs no source, where the catalog knows enough of the newest entry: a `304` or `412` by its checksum. Nothing where a
 * source has to be asked. Throws `UNSATISFIABLE` if its size tells that none of the bytes that are wanted exist; of empty content the whole is sent.
 */
const knownAnswer = (
  { method, conditions = {}, ranges }: StreamRequest,
  [entry]: readonly CatalogEntry[],
  policy: Pick<Policy, 'cacheTimeout'>,
): Head | undefined => {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange } = conditions;
  // A date, where it has a say, is compared with what the source tells.
  const byDate = (ifUnmodifiedSince !== undefined && !ifMatch) || (ifModifiedSince !== undefined && !ifNoneMatch);
  if (!entry || byDate) return undefined;

  if (entry.checksum) {
    const validators = { etag: etagOf(entry.checksum) };
    const verdict = judge({ ifMatch, ifNoneMatch }, validators);
    const candidate = { entry, source: { kind: 'catalog', id: '' }, url: entry.url };
    if (verdict) return unchangedHead(verdict, candidate, validators, policy);
  } else if (ifMatch || ifNoneMatch) return undefined;

  const { size, path } = entry;
  if (
    method === 'GET' &&
    size &&
    ranges?.length &&
    ifRange === undefined &&
    !ranges.some((range) => resolveRange(range, size))
  )
    throw new StreamError('UNSATISFIABLE', 'client', `${path} has ${size} bytes only`, { length: size });
  return undefined;
};
