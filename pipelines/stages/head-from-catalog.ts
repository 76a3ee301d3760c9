import { mergeMap, type Observable, of } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  errorSourceOf,
  type FindCandidates,
  type Head,
  type Header,
  type Policy,
  type StreamRequest,
} from '../model/index.ts';
import { follow } from '../operators/follow.ts';
import { fuse } from '../operators/fuse.ts';
import { given, operate, type Stage } from '../operators/operate.ts';
import { judgeHead } from './attempts/judge-head.ts';
import { candidates } from './candidates.ts';
import { clientHead } from './client-head.ts';
import type { Health } from './health/health.ts';
import { createRecent, type Recent } from './health/recent.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

interface HeadFromCatalogDeps {
  readonly sources: readonly FindCandidates[];
  readonly policy: Pick<Policy, 'cacheTimeout' | 'sizeLimit'>;
  readonly health?: Pick<Health, 'order' | 'isKnownWrong' | 'isSuspect'>;
}

/** The fields of the last answer, by URL and checksum. */
type Answers = Recent<string, readonly Header[]>;

/** Answers that are remembered; the oldest is dropped first. */
const REMEMBERED = 1000;

/**
 * Answers HEAD without a feed if the catalog has size and checksum. The fields are those of a GET:
 * of the last answer about the same content, otherwise those that the catalog determines. A file is
 * asked nevertheless, which costs nothing, and it has all of them. So is a feed if its content was
 * found wrong lately, if it may have removed the file since the revision that is asked for, or if a
 * date is to be compared with its own. Errors as `candidates` does, and with `TOO_LARGE`. Other
 * requests pass, and the fields of complete answers are remembered.
 */
export const headFromCatalog = (deps: HeadFromCatalogDeps, transfer: Transfer): Transfer => {
  const answers: Answers = createRecent(REMEMBERED);
  const remembered = remember(answers);
  return (request, ...more) => {
    const asked = fuse(transfer(request, ...more), remembered);
    if (request.method !== 'HEAD') return asked;
    return follow((entries, valve): Observable<TransferEvent> => {
      const ask = () => given(entries, asked)(valve);
      if (!isKnown(request, entries)) return ask();
      return given(
        entries,
        candidates(deps),
      )(valve).pipe(
        mergeMap((found) => {
          const head = knownHead(found, answers, deps);
          return head ? of<TransferEvent[]>({ type: 'found', candidates: found }, head) : ask();
        }),
      );
    });
  };
};

const keyOf = ({ url, entry: { checksum } }: Candidate): string => `${url} ${checksum?.value}`;

const remember = (answers: Answers): Stage<TransferEvent, TransferEvent> =>
  operate((out) => {
    let head: Head | undefined;
    return {
      next: (event) => {
        if (event.type === 'head') head = event;
        out.next(event);
      },
      complete: () => {
        if (head && (head.status === 200 || head.status === 206) && isAnswer(head.candidate))
          answers.set(keyOf(head.candidate), head.headers);
        out.complete();
      },
    };
  });

/** Whether HEAD may be answered with the fields of an answer of the candidate. */
const isAnswer = (candidate: Candidate): boolean =>
  Boolean(candidate.entry.checksum && candidate.entry.size) && errorSourceOf(candidate) === 'feed';

/** Of empty content the digest is compared, which the transfer does. */
const isKnown = ({ conditions = {} }: StreamRequest, [entry]: readonly CatalogEntry[]): boolean =>
  Boolean(entry?.checksum && entry.size && entry.asOf === undefined) &&
  conditions.ifModifiedSince === undefined &&
  conditions.ifUnmodifiedSince === undefined &&
  (conditions.ifRange === undefined || conditions.ifRange.startsWith('"'));

const knownHead = (
  found: readonly Candidate[],
  answers: Answers,
  { policy, health }: HeadFromCatalogDeps,
): Head | undefined => {
  const first = found.find(({ problem }) => !problem);
  if (!first || first.outdated || !isAnswer(first) || health?.isSuspect(first)) return undefined;
  const { size: length } = first.entry;
  const headers = answers.get(keyOf(first)) ?? [];
  const head = { type: 'head', headers, length, from: 0, verified: false } as const;
  judgeHead(first, head, { policy, health });
  return clientHead(head, { ...first, source: { kind: 'catalog', id: '' } }, policy);
};
