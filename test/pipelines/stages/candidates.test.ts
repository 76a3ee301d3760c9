import { describe, expect, it } from '@jest/globals';
import { concat, EMPTY, of, throwError } from 'rxjs';
import { type Candidate, type CatalogEntry, candidates, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { aCandidate, anEntry, aSource, entryOf, marbles } from '../../support/pipeline.ts';

describe('candidates', () => {
  const newer = anEntry({ revision: 2 });
  const older = anEntry({ revision: 1 });

  it('lists the sources in order, entry by entry', () =>
    marbles(({ cold, expectObservable }) => {
      const [newest, same] = [entryOf('a', { revision: 2 }), entryOf('a', { revision: 1 })];
      const saved = aCandidate('saved', newest);
      const [feed2, feed1] = [aCandidate('feed', newest), aCandidate('feed', same)];
      const sources = [
        (entry: unknown) => (entry === newest ? cold('--s|', { s: saved }) : EMPTY),
        (entry: unknown) => of(entry === newest ? feed2 : feed1),
      ];
      const entries = cold('a|', { a: [newest, same] });
      expectObservable(entries.pipe(under(OPEN, candidates({ sources })))).toBe('---(r|)', {
        r: [saved, feed2, feed1],
      });
    }));

  it('tries an entry without its unit after all that have the same content, whatever its sources’ health', () =>
    marbles(({ expectObservable }) => {
      const entries = [
        entryOf('a', { revision: 3, unitMissing: true }),
        entryOf('a', { revision: 2 }),
        entryOf('b', { revision: 1 }),
      ];
      const result = [
        aCandidate('feed', { ...entries[1]!, replaced: true }),
        aCandidate('feed', { ...entries[0]!, replaced: true }),
        aCandidate('feed', entries[2]!, { outdated: true }),
      ];
      const sources = [(entry: CatalogEntry) => of(aCandidate('feed', entry))];
      const health = { order: (all: readonly Candidate[]) => all.toReversed() };
      expectObservable(of(entries).pipe(under(OPEN, candidates({ sources, health })))).toBe('(r|)', { r: result });
    }));

  it.each([
    ['of another checksum', entryOf('b', { revision: 1 }), entryOf('a', { revision: 2 })],
    ['without one', older, newer],
    ['of the same importer, or another', anEntry({ importerId: '1'.repeat(24) }), newer],
  ])('treats an older entry %s as other content, tried last in spite of its sources’ health', (_, before, now) =>
    marbles(({ expectObservable }) => {
      const at = (entry: CatalogEntry) => [of(aCandidate('saved', entry)), of(aCandidate('feed', entry))];
      const sources = [(entry: CatalogEntry) => concat(...at(entry))];
      // The feed of all is cooling down.
      const health = {
        order: (all: readonly Candidate[]) =>
          all.toSorted((a, b) => Number(a.source.kind === 'feed') - Number(b.source.kind === 'feed')),
      };
      const replaced = { ...now, replaced: true };
      const result = [
        aCandidate('saved', replaced),
        aCandidate('feed', replaced),
        aCandidate('saved', before, { outdated: true }),
        aCandidate('feed', before, { outdated: true }),
      ];
      expectObservable(of([now, before]).pipe(under(OPEN, candidates({ sources, health })))).toBe('(r|)', {
        r: result,
      });
    }),
  );

  it('makes a failing candidate of a source that errors, and continues', () =>
    marbles(({ expectObservable }) => {
      const problem = new StreamError('SOURCE_BROKEN', 'feed', 'importer unknown');
      const feed = aCandidate('feed', newer);
      const sources = [() => throwError(() => problem), () => of(feed)];
      const broken = { entry: newer, source: aSource('feed'), url: newer.url, problem };
      expectObservable(of([newer]).pipe(under(OPEN, candidates({ sources })))).toBe('(r|)', { r: [broken, feed] });
    }));

  it('errors if no source offers anything', () =>
    marbles(({ expectObservable }) => {
      const error = new StreamError('NO_CANDIDATE', 'catalog', 'no source offers /pulp/bear.rpm');
      expectObservable(of([newer]).pipe(under(OPEN, candidates({ sources: [() => EMPTY] })))).toBe('#', {}, error);
    }));

  it('errors without entries, and asks no source', () =>
    marbles(({ expectObservable }) => {
      const sources = [() => of(aCandidate('feed', newer))];
      const error = expect.objectContaining({ code: 'NO_CANDIDATE' });
      expectObservable(of([]).pipe(under(OPEN, candidates({ sources })))).toBe('#', {}, error);
    }));

  it('asks a source only after the previous one, and leaves it when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold<never>('---|');
      const second = cold<never>('------|');
      const sources = [() => first, () => second];
      expectObservable(of([newer]).pipe(under(OPEN, candidates({ sources }))), '^----!').toBe('-----');
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('---^-!');
    }));

  it('ends without entries', () =>
    marbles(({ cold, expectObservable }) => {
      const lists = cold<readonly CatalogEntry[]>('--|');
      expectObservable(lists.pipe(under(OPEN, candidates({ sources: [] })))).toBe('--|');
    }));
});
