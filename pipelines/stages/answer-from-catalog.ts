import type { Subscriber } from 'rxjs';
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
import { operate } from '../operators/operate.ts';
import { unchangedHead } from './client-head.ts';
import type { Transfer } from './transfer.ts';

/** Answers from the catalog if it suffices, otherwise with a transfer. */
export const answerFromCatalog =
  ({ policy }: { readonly policy: Pick<Policy, 'cacheTimeout'> }, transfer: Transfer): Transfer =>
  (request) =>
    operate((out, valve) => {
      let transferring: Subscriber<readonly CatalogEntry[]> | undefined;
      return {
        next: (entries) => {
          const head = knownAnswer(request, entries, policy);
          if (head) out.next(head);
          else {
            transferring = transfer(request).into(out, valve);
            transferring.next(entries);
          }
        },
        complete: () => (transferring ?? out).complete(),
      };
    });

/**
 * The answer that needs no source: a `304` or `412` by the checksum of the newest entry. Undefined
 * if a source must be asked. Throws `UNSATISFIABLE` if the entry's size rules out every requested
 * byte. Empty content is sent whole.
 */
const knownAnswer = (
  { method, conditions = {}, ranges }: StreamRequest,
  [entry]: readonly CatalogEntry[],
  policy: Pick<Policy, 'cacheTimeout'>,
): Head | undefined => {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange } = conditions;
  // A date condition is compared with the date that the source sends.
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
    throw new StreamError('UNSATISFIABLE', 'client', `${path} has only ${size} bytes`, { length: size });
  return undefined;
};
