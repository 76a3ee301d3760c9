import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, type Observable, of, throwError } from 'rxjs';
import { type Child, Gate, StreamError, type StreamRequest } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { folder } from '../../../pipelines/stages/folder.ts';
import { PAGE } from '../../../pipelines/stages/listing.ts';
import type { TransferEvent } from '../../../pipelines/stages/transfer.ts';
import { aCandidate, anEntry, aRequest, chunk, headOf, marbles, textOf } from '../../support/pipeline.ts';

const UNKNOWN = new StreamError('NOT_IN_CATALOG', 'catalog', 'unknown');
const unknown = throwError(() => UNKNOWN);
const file = (name: string, more: Partial<Child> = {}): Child => ({ name, isFolder: false, ...more });

type Children = (folder: string, after: Child | undefined, limit: number) => Observable<Child>;

const depsOf = (
  { children = () => EMPTY, paths = [] }: { children?: Children; paths?: string[] },
  listings = true,
) => ({
  catalog: { lookup: (path: string) => (paths.includes(path) ? of(anEntry({ path })) : EMPTY), children },
  folders: { indexNames: ['index.html'], listings },
});

/** The answer for a path that is not in the catalog. */
const answer = (
  path: string,
  deps: Parameters<typeof folder>[1],
  more: Partial<StreamRequest> = {},
  failure: Observable<never> = unknown,
) => {
  const events: TransferEvent[] = [];
  let error: unknown;
  failure.pipe(under(OPEN, folder(aRequest({ path, ...more }), deps))).subscribe({
    next: (event) => events.push(event),
    error: (thrown) => {
      error = thrown;
    },
  });
  const [head] = events.flatMap((event) => (event.type === 'head' ? [event] : []));
  const text = events.map((event) => (event.type === 'chunk' ? textOf(event.bytes) : '')).join('');
  return { head, fields: new Map(head?.headers), text, error, chunks: events.length - 1 };
};

/** A folder of many files, in pages. */
const many =
  (count: number): Children =>
  (_, after, limit) => {
    const from = after ? Number(after.name) + 1 : 0;
    return of(...Array.from({ length: Math.min(limit, count - from) }, (_, index) => file(`${from + index}`)));
  };

describe('a folder', () => {
  const children: Children = (path) =>
    path === '/zoo/' ? of(file('a b<&>"#?.rpm', { size: 7 }), { name: 'cubs:1', isFolder: true }) : EMPTY;

  it('is listed with relative, encoded links and escaped names', () => {
    const { head, fields, text } = answer('/zoo/', depsOf({ children }));
    expect(head).toMatchObject({ status: 200, length: text.length });
    expect(fields.get('Content-Type')).toBe('text/html; charset=utf-8');
    expect(fields.get('X-Robots-Tag')).toBe('noindex');
    expect(fields.get('Cache-Control')).toBe('no-store');
    expect(fields.get('Vary')).toBe('Accept');
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        '<a href="../">../</a>',
        '<a href="a%20b%3C%26%3E%22%23%3F.rpm">a b&lt;&amp;&gt;&quot;#?.rpm</a> 7',
        '<a href="cubs%3A1/">cubs:1/</a>',
      ]),
    );
  });

  it('is a whole page that leads up, unless it is the root', () => {
    const page = (path: string, up: string) => {
      const { text, head } = answer(path, depsOf({ children: () => of(file("bear's.rpm")) }));
      expect(text).toBe(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>Index of ${path}</title></head>
<body><h1>Index of ${path}</h1>
<pre>
${up}<a href="bear's.rpm">bear&#39;s.rpm</a>
</pre></body></html>
`);
      expect(head).toMatchObject({ whole: true, first: 0, verified: false });
    };
    page('/', '');
    page('/zoo/', '<a href="../">../</a>\n');
  });

  it('is that of the catalog', () => {
    const ofCatalog = (path: string) => ({
      entry: { path, importerId: '', unitId: '', unitTypeId: 'folder', url: '', revision: 0, data: {} },
      source: { kind: 'catalog', id: '' },
      url: '',
    });
    expect(answer('/zoo/', depsOf({ children })).head?.candidate).toEqual(ofCatalog('/zoo/'));
    expect(answer('/zoo', depsOf({ children })).head?.candidate).toEqual(ofCatalog('/zoo'));
  });

  it('is listed as JSON if that is wanted', () => {
    const checksum = { algorithm: 'sha256', value: 'ab' } as const;
    const deps = depsOf({ children: () => of(file('a"b', { size: 7, checksum }), { name: 'c', isFolder: true }) });
    const { fields, text } = answer('/zoo/', deps, { listAs: 'json' });
    expect(fields.get('Content-Type')).toBe('application/json');
    expect(JSON.parse(text)).toEqual([
      { name: 'a"b', type: 'file', size: 7, checksum: 'sha256:ab' },
      { name: 'c', type: 'directory' },
    ]);
  });

  it('has only a head for HEAD', () => {
    const { head, chunks } = answer('/zoo/', depsOf({ children }), { method: 'HEAD' });
    expect(head?.length).toBeGreaterThan(0);
    expect(chunks).toBe(0);
  });

  it('is listed in its decoded spelling if only that is known', () =>
    expect(answer('/%7Aoo/', depsOf({ children })).head?.status).toBe(200));

  it('without its slash is redirected, relative to any prefix of a proxy', () => {
    const { head, fields } = answer(
      '/a/zoo%20ü',
      depsOf({ children: (path) => (path.includes('zoo') ? of(file('x')) : EMPTY) }),
    );
    expect(head).toMatchObject({ status: 301, length: 0, whole: false });
    expect(fields.get('Location')).toBe('./zoo%20%C3%BC/');
  });

  it('without its slash is redirected if it has an index, listed or not', () =>
    expect(answer('/zoo', depsOf({ paths: ['/zoo/index.html'] }, false)).head?.status).toBe(301));

  it('that is one at its feed is redirected, whatever the catalog has', () => {
    const isFolder = throwError(() => new StreamError('IS_FOLDER', 'feed', 'a folder'));
    const { head, fields } = answer('/a/zoo', depsOf({}, false), {}, isFolder);
    expect([head?.status, fields.get('Location')]).toEqual([301, './zoo/']);
  });

  it.each([
    ['that is unknown', '/bear/', depsOf({ children })],
    ['that is unknown, without its slash', '/bear', depsOf({ children })],
    ['if listings are off', '/zoo/', depsOf({ children }, false)],
    ['without its slash, if listings are off', '/zoo', depsOf({ children }, false)],
    ['of a catalog that cannot list', '/zoo/', { ...depsOf({}), catalog: { lookup: () => EMPTY } }],
    ['without a policy', '/zoo/', { catalog: depsOf({ children }).catalog }],
  ])('%s stays unknown', (_, path, deps) =>
    expect(answer(path, deps)).toMatchObject({ error: UNKNOWN, head: undefined }),
  );
});

describe('a folder of several pages', () => {
  it.each([PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])('with %d files is listed whole', (count) => {
    const { text, head } = answer('/zoo/', depsOf({ children: many(count) }), { listAs: 'json' });
    expect(JSON.parse(text).map(({ name }: Child) => Number(name))).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(head?.length === undefined).toBe(count >= PAGE);
  });

  it('is refused to a client that needs a length', () =>
    expect(answer('/zoo/', depsOf({ children: many(PAGE) }), { lengthRequired: true }).error).toEqual(
      new StreamError('LENGTH_UNKNOWN', 'catalog', '/zoo/ has too many files for one page'),
    ));

  it('has only a head for HEAD, and is read no further', () => {
    let pages = 0;
    const children: Children = (...asked) => {
      pages += 1;
      return many(3 * PAGE)(...asked);
    };
    const { head, chunks } = answer('/zoo/', depsOf({ children }), { method: 'HEAD' });
    expect([head?.whole, chunks, pages]).toEqual([true, 0, 1]);
  });

  it('is read by a client whose valve has said nothing yet', () => {
    const seen: string[] = [];
    const listed = folder(aRequest({ path: '/zoo/' }), depsOf({ children: many(PAGE) }));
    unknown.pipe(under(NEVER, listed)).subscribe(({ type }) => seen.push(type));
    expect(seen).toEqual(['head', 'chunk', 'chunk', 'chunk']);
  });

  it('is read no further than the client reads', () => {
    const asked: number[] = [];
    const children: Children = (path, after, limit) => {
      asked.push(Number(after?.name ?? -1));
      return many(3 * PAGE)(path, after, limit);
    };
    const valve = new Gate(false);
    const seen: string[] = [];
    unknown.pipe(under(valve, folder(aRequest({ path: '/zoo/' }), depsOf({ children })))).subscribe((event) => {
      seen.push(event.type);
      if (event.type === 'chunk') valve.next(false);
    });
    expect([seen, asked]).toEqual([['head'], [-1]]);
    valve.next(true);
    expect([seen, asked]).toEqual([['head', 'chunk'], [-1]]);
    valve.next(true);
    expect([seen, asked]).toEqual([
      ['head', 'chunk', 'chunk'],
      [-1, PAGE - 1],
    ]);
  });

  it('fails as the catalog does', () => {
    const down = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'down');
    const children: Children = (path, after, limit) =>
      after ? throwError(() => down) : many(PAGE)(path, after, limit);
    expect(answer('/zoo/', depsOf({ children }))).toMatchObject({ error: down, head: { status: 200 } });
  });

  it('leaves the catalog when unsubscribed', () =>
    marbles(({ cold, expectSubscriptions, expectObservable }) => {
      const slow = cold<Child>('---------|');
      const deps = depsOf({ children: () => slow });
      expectObservable(unknown.pipe(under(NEVER, folder(aRequest({ path: '/zoo/' }), deps))), '^--!').toBe('----');
      expectSubscriptions(slow.subscriptions).toBe('^--!');
    }));
});

it('other events and errors pass', () =>
  marbles(({ cold, expectObservable }) => {
    const values = { h: headOf(aCandidate('feed', anEntry())), c: chunk('abc') };
    const failure = new StreamError('OUT_OF_SOURCES', 'feed', 'failed');
    const deps = depsOf({ children: () => of(file('x')) });
    for (const events of ['-h-c|', '-h-#'])
      expectObservable(cold(events, values, failure).pipe(under(OPEN, folder(aRequest({ path: '/zoo/' }), deps)))).toBe(
        events,
        values,
        failure,
      );
  }));
