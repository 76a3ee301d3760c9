import { describe, it } from '@jest/globals';
import { EMPTY, of, throwError } from 'rxjs';
import { candidates, StreamError } from '../../../pipelines/index.ts';
import { aCandidate, anEntry, marbles } from '../../support/river.ts';

describe('candidates', () => {
  const newer = anEntry({ revision: 2 });
  const older = anEntry({ revision: 1 });

  it('lines up the sources in order, entry by entry', () =>
    marbles(({ cold, expectObservable }) => {
      const saved = aCandidate('saved', newer);
      const [feed2, feed1] = [aCandidate('feed', newer), aCandidate('feed', older)];
      const sources = [
        (entry: unknown) => (entry === newer ? cold('--s|', { s: saved }) : EMPTY),
        (entry: unknown) => of(entry === newer ? feed2 : feed1),
      ];
      const entries = cold('a|', { a: [newer, older] });
      expectObservable(entries.pipe(candidates({ sources }))).toBe('---(r|)', { r: [saved, feed2, feed1] });
    }));

  it('makes a failing candidate of a source that errors, and goes on', () =>
    marbles(({ expectObservable }) => {
      const problem = new StreamError('SOURCE_BROKEN', 'feed', 'importer unknown');
      const feed = aCandidate('feed', newer);
      const sources = [() => throwError(() => problem), () => of(feed)];
      const broken = { entry: newer, source: 'feed', url: newer.url, problem };
      expectObservable(of([newer]).pipe(candidates({ sources }))).toBe('(r|)', { r: [broken, feed] });
    }));

  it('errors where no source offers anything', () =>
    marbles(({ expectObservable }) => {
      const error = new StreamError('NO_CANDIDATE', 'catalog', 'no source offers /pulp/bear.rpm');
      expectObservable(of([newer]).pipe(candidates({ sources: [() => EMPTY] }))).toBe('#', {}, error);
    }));

  it('asks a source only after the one before it, and leaves it when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold<never>('---|');
      const second = cold<never>('------|');
      const sources = [() => first, () => second];
      expectObservable(of([newer]).pipe(candidates({ sources })), '^----!').toBe('-----');
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('---^-!');
    }));
});
