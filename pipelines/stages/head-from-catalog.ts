import { mergeMap, of } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  errorSourceOf,
  type FindCandidates,
  type Head,
  type Policy,
  type StreamRequest,
} from '../model/index.ts';
import { follow } from '../operators/follow.ts';
import { given } from '../operators/operate.ts';
import { judgeHead } from './attempts/judge-head.ts';
import { candidates } from './candidates.ts';
import { clientHead } from './client-head.ts';
import type { Health } from './health/health.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

interface HeadFromCatalogDeps {
  readonly sources: readonly FindCandidates[];
  readonly policy: Pick<Policy, 'cacheTimeout' | 'sizeLimit'>;
  readonly health?: Pick<Health, 'order' | 'isKnownWrong' | 'isSuspect'>;
}

/**
 * Answers HEAD without a feed if the catalog has size and checksum: with the fields of a GET, as
 * far as they are known. A file is asked nevertheless, which costs nothing, and it has all of them.
 * So is a feed if its content was found wrong lately, or a date is to be compared with its own.
 * Errors as `candidates` does, and with `TOO_LARGE`.
 */
export const headFromCatalog =
  (deps: HeadFromCatalogDeps, transfer: Transfer): Transfer =>
  (request) => {
    if (request.method !== 'HEAD') return transfer(request);
    return follow((entries) => {
      const ask = () => given(entries, transfer(request));
      if (!isKnown(request, entries)) return ask();
      return given(entries, candidates(deps)).pipe(
        mergeMap((found) => {
          const head = knownHead(found, deps);
          return head ? of<TransferEvent[]>({ type: 'found', candidates: found }, head) : ask();
        }),
      );
    });
  };

/** Of empty content the digest is compared, which the transfer does. */
const isKnown = ({ conditions = {} }: StreamRequest, [entry]: readonly CatalogEntry[]): boolean =>
  Boolean(entry?.checksum && entry.size) &&
  conditions.ifModifiedSince === undefined &&
  conditions.ifUnmodifiedSince === undefined;

const knownHead = (found: readonly Candidate[], { policy, health }: HeadFromCatalogDeps): Head | undefined => {
  const first = found.find(({ problem }) => !problem);
  if (!first || first.outdated || errorSourceOf(first) !== 'feed' || health?.isSuspect(first)) return undefined;
  const { size: length } = first.entry;
  const head = { type: 'head', headers: first.headers ?? [], length, from: 0, verified: false } as const;
  judgeHead(first, head, { policy, health });
  return clientHead(head, { ...first, source: { kind: 'catalog', id: '' } }, policy);
};
