import type { Observable } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  type FindCandidates,
  StreamError,
  sameChecksum,
  toStreamError,
} from '../model/index.ts';
import { collect } from '../operators/collect.ts';
import { operate, type Stage } from '../operators/operate.ts';
import type { Health } from './health/health.ts';

/**
 * Lists every way to obtain the bytes. Each entry, newest first, yields its sources in their order:
 * copies kept on disk, alternate sources, the feed last. Sources that are cooling down come after
 * the others.
 *
 * Candidates of older entries are marked as outdated and come last, unless they have the newest
 * entry's checksum. An older revision is other content. Entries without their unit come after
 * those of the same content.
 *
 * Emits one list and completes. Errors with `NO_CANDIDATE` if the list would be empty. A source
 * that errors becomes a candidate that fails: it appears in the report and does not affect other
 * sources.
 */
export const candidates = ({
  sources,
  health,
}: {
  readonly sources: readonly FindCandidates[];
  readonly health?: Pick<Health, 'order'>;
}): Stage<readonly CatalogEntry[], readonly Candidate[]> =>
  operate((out) => {
    let begun = false;
    return {
      next: (entries) => {
        begun = true;
        const ranks = ranked(entries);
        /** Asks are numbered entry by entry. */
        const asked = (at: number) => ranks[Math.floor(at / sources.length)] as Ranked;
        const asks: (() => Observable<Candidate>)[] = [];
        for (const { entry } of ranks) for (const find of sources) asks.push(() => find(entry));
        collect(asks, out, {
          instead: (error, at) => unusable(asked(at).entry, toStreamError(error)),
          as: (candidate, at) => asked(at).rank(candidate),
          done: (all) => {
            if (all.length === 0)
              throw new StreamError('NO_CANDIDATE', 'catalog', `no source offers ${entries[0]?.path}`);
            const ordered = health?.order(all) ?? all;
            out.next(ordered.length > 1 ? ordered.toSorted((a, b) => lateness(a) - lateness(b)) : ordered);
            out.complete();
          },
        });
      },
      complete: () => {
        if (!begun) out.complete();
      },
    };
  });

/** The newest content before any other; among equals, entries whose unit can be saved first. */
const lateness = ({ outdated, entry: { unitMissing } }: Candidate): number =>
  (outdated ? 2 : 0) + (unitMissing ? 1 : 0);

interface Ranked {
  readonly entry: CatalogEntry;
  readonly rank: (candidate: Candidate) => Candidate;
}

/**
 * The entries, each with the marks of its candidates. `outdated`: content other than the newest
 * entry's. `replaced`: content that replaced other content.
 */
const ranked = ([newest, ...older]: readonly CatalogEntry[]): readonly Ranked[] => {
  if (!newest) return [];
  const others = older.filter((entry) => !sameChecksum(entry, newest));
  return [newest, ...older].map((entry) => ({
    entry,
    rank: (candidate) => {
      if (others.includes(entry)) return { ...candidate, outdated: true };
      return others.length > 0 ? { ...candidate, entry: { ...candidate.entry, replaced: true } } : candidate;
    },
  }));
};

const unusable = (entry: CatalogEntry, problem: StreamError): Candidate => ({
  entry,
  source: { kind: problem.source, id: '' },
  url: entry.url,
  problem,
});
