import { describe, expect, it } from '@jest/globals';
import { EMPTY, type Observable, of } from 'rxjs';
import { type CatalogEntry, lookup, StreamError } from '../../../pipelines/index.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { anEntry, aRequest, marbles } from '../../support/pipeline.ts';

const catalogOf = (answer: (path: string) => Observable<CatalogEntry>) => {
  const asked: string[] = [];
  return {
    asked,
    catalog: {
      lookup: (path: string) => {
        asked.push(path);
        return answer(path);
      },
    },
  };
};

describe('lookup', () => {
  const newer = anEntry({ revision: 2 });
  const older = anEntry({ revision: 1 });

  it('emits all entries as one list, in the order of the catalog', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answer = cold('-n-o|', { n: newer, o: older });
      expectObservable(
        lookup(
          aRequest(),
          catalogOf(() => answer),
        )(OPEN),
      ).toBe('----(r|)', { r: [newer, older] });
      expectSubscriptions(answer.subscriptions).toBe('^---!');
    }));

  it('leaves the catalog when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answer = cold<CatalogEntry>('------|');
      expectObservable(
        lookup(
          aRequest(),
          catalogOf(() => answer),
        )(OPEN),
        '^--!',
      ).toBe('---');
      expectSubscriptions(answer.subscriptions).toBe('^--!');
    }));

  it('errors for an unknown path, with its name', () =>
    marbles(({ expectObservable }) => {
      const error = new StreamError('NOT_IN_CATALOG', 'catalog', 'the catalog has no entry for /pulp/bear.rpm');
      expectObservable(
        lookup(
          aRequest(),
          catalogOf(() => EMPTY),
        )(OPEN),
      ).toBe('#', {}, error);
    }));

  it("passes the catalog's error on", () =>
    marbles(({ cold, expectObservable }) => {
      const down = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'down');
      expectObservable(
        lookup(
          aRequest(),
          catalogOf(() => cold('--#', {}, down)),
        )(OPEN),
      ).toBe('--#', {}, down);
    }));

  it('asks for the raw path first, and for the decoded one only if the raw one is unknown', () => {
    const known = catalogOf(() => of(newer));
    lookup(aRequest({ path: '/a%2Bb' }), known)(OPEN).subscribe();
    expect(known.asked).toEqual(['/a%2Bb']);

    const decoded = catalogOf((path) => (path === '/a+b' ? of(newer) : EMPTY));
    const got: unknown[] = [];
    lookup(aRequest({ path: '/a%2Bb' }), decoded)(OPEN).subscribe((entries) => got.push(entries));
    expect(got).toEqual([[newer]]);
    expect(decoded.asked).toEqual(['/a%2Bb', '/a+b']);
  });

  it.each([
    ['raw', '/a%3Bb;v=%31', ['/a%3Bb;v=%31', '/a;b;v=1', '/a%3Bb', '/a;b', '/a%3Bb;v=1']],
    [undefined, '/a/b;v=1', ['/a/b;v=1', '/a/b']],
    ['decoded', '/a%2Bb', ['/a+b', '/a%2Bb']],
    ['decoded', '/a%3Bb;v=%31', ['/a;b;v=1', '/a%3Bb;v=%31', '/a;b', '/a%3Bb', '/a%3Bb;v=1']],
    ['decoded', '/a;b/c%', ['/a;b/c%']],
    ['raw', '/a;b/', ['/a;b/']],
    ['raw', '/a/;b;c', ['/a/;b;c', '/a/']],
    ['decoded', '/%2B/a%2Fb', ['/+/a%2Fb', '/%2B/a%2Fb', '/+/a/b']],
    ['decoded', '/p/./x.deb', ['/p/./x.deb', '/p/x.deb']],
    ['raw', '/../p/a/../x/.', ['/../p/a/../x/.', '/p/x/']],
    ['raw', '/a/b/%2e%2E/../../x', ['/a/b/%2e%2E/../../x', '/a/b/../../../x', '/x']],
    ['raw', '/%2b%7e', ['/%2b%7e', '/+~', '/%2B~']],
    ['decoded', '/p//x', ['/p//x', '/p/x']],
    ['decoded', '/p//.//x', ['/p//.//x', '/p///x', '/p/x']],
    ['decoded', '/.treeinfo', ['/.treeinfo']],
    ['decoded', '/a%2F..%2Fx', ['/a%2F..%2Fx', '/a/../x']],
    ['decoded', '/..', ['/..', '/']],
  ] as const)('asks a catalog of %s paths for %s', (spelling, path, expected) => {
    const unknown = catalogOf(() => EMPTY);
    lookup(aRequest({ path }), { catalog: { ...unknown.catalog, spelling } })(OPEN).subscribe({ error: () => {} });
    expect(unknown.asked).toEqual(expected);
  });

  it('asks for the index names of a folder, in their order', () => {
    const unknown = catalogOf(() => EMPTY);
    const folders = { indexNames: ['index.html', 'default.htm'], listings: false };
    lookup(aRequest({ path: '/a/' }), { ...unknown, folders })(OPEN).subscribe({ error: () => {} });
    lookup(aRequest({ path: '/a' }), { ...unknown, folders })(OPEN).subscribe({ error: () => {} });
    expect(unknown.asked).toEqual(['/a/', '/a/index.html', '/a/default.htm', '/a']);
    lookup(aRequest({ path: '/b/' }), unknown)(OPEN).subscribe({ error: () => {} });
    expect(unknown.asked.slice(4)).toEqual(['/b/']);
  });

  it.each([
    ['/r/a%2Bb/c%252F', '/r/a+b/c%2F'],
    ['/r/./x/%2e%2e/../../y', '/y'],
    ['/r/a%', '/r/a%'],
  ])('asks last for an entry that the catalog does not list: %s', (path, expected) => {
    const unknown = catalogOf(() => EMPTY);
    const unlisted = (path: string) => {
      unknown.asked.push(`unlisted ${path}`);
      return EMPTY;
    };
    lookup(aRequest({ path }), { catalog: { ...unknown.catalog, unlisted } })(OPEN).subscribe({ error: () => {} });
    expect(unknown.asked.at(-1)).toBe(`unlisted ${expected}`);
  });

  it('takes a path with broken percent-encoding literally', () => {
    const unknown = catalogOf(() => EMPTY);
    lookup(aRequest({ path: '/100%' }), unknown)(OPEN).subscribe({ error: () => {} });
    expect(unknown.asked).toEqual(['/100%']);
  });

  it('does nothing before subscription', () => {
    const { asked, catalog } = catalogOf(() => EMPTY);
    lookup(aRequest(), { catalog })(OPEN);
    expect(asked).toEqual([]);
  });

  it('errors for what is no path, with what is expected', () =>
    marbles(({ expectObservable }) => {
      const error = new StreamError(
        'NOT_IN_CATALOG',
        'catalog',
        "'bear.rpm' is not a path, expected one that begins with /",
      );
      expectObservable(
        lookup(
          aRequest({ path: 'bear.rpm' }),
          catalogOf(() => EMPTY),
        )(OPEN),
      ).toBe('#', {}, error);
    }));

  it('asks last for what the catalog does not list', () =>
    marbles(({ expectObservable }) => {
      const { catalog } = catalogOf(() => EMPTY);
      const unlisted = (path: string) => (path === '/known' ? of(newer) : EMPTY);
      const found = (path: string) => lookup(aRequest({ path }), { catalog: { ...catalog, unlisted } })(OPEN);
      expectObservable(found('/known')).toBe('(r|)', { r: [newer] });
      expectObservable(found('/other')).toBe(
        '#',
        {},
        new StreamError('NOT_IN_CATALOG', 'catalog', 'the catalog has no entry for /other'),
      );
    }));
});
