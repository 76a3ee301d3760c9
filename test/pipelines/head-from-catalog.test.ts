import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of, toArray } from 'rxjs';
import {
  type CatalogEntry,
  field,
  type Head,
  type Header,
  type LazyFetchDeps,
  prepare,
  type SourceEvent,
  StreamError,
  type StreamRequest,
} from '../../pipelines/index.ts';
import { OPEN } from '../../pipelines/operators/valve.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  broken,
  chunk,
  entryOf,
  fetched,
  newDigest,
  sourceHead,
  unpaused,
} from '../support/pipeline.ts';

const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

describe('HEAD', () => {
  const known = entryOf('abcd', { size: 4 });

  const ask = async (entry: CatalogEntry, request = {}, url = 'http://feed/a', more: Partial<LazyFetchDeps> = {}) => {
    const asked: string[] = [];
    const events = fetched(
      { method: 'HEAD', ...request },
      {
        catalog: { lookup: () => of(entry) },
        sources: [
          (entry) => of({ entry, source: { kind: 'feed', id: 'feed' }, url, headers: [['Content-Type', 'text/xml']] }),
        ],
        open: unpaused((location, { method }) => {
          asked.push(`${method} ${location.url}`);
          const head = sourceHead({ length: entry.size });
          return method === 'HEAD' ? of<SourceEvent>(head) : of<SourceEvent[]>(head, chunk('abcd'));
        }),
        newDigest,
        policy: aPolicy(),
        random: () => 0,
        ...more,
      },
    );
    const all = await firstValueFrom(events.pipe(toArray()));
    return { asked, head: all.find((event): event is Head => event.type === 'head') };
  };

  it('is answered without the feed if the catalog has size and checksum', async () => {
    const { asked, head } = await ask(known);
    expect(asked).toEqual([]);
    expect(head).toMatchObject({ status: 200, length: 4, candidate: { source: { kind: 'catalog', id: '' } } });
    expect(head?.headers.map(([name]) => name)).toEqual([
      ...['ETag', 'Repr-Digest', 'Digest', 'Accept-Ranges', 'Cache-Control'],
    ]);
  });

  it.each([
    ['its size is unknown', entryOf('abcd'), {}, undefined],
    ['it has no checksum', { ...known, checksum: undefined }, {}, undefined],
    ['it is empty', entryOf('', { size: 0 }), {}, undefined],
    ['a date is to be compared', known, { conditions: { ifModifiedSince: 0 } }, undefined],
    ['another date is', known, { conditions: { ifUnmodifiedSince: Number.MAX_SAFE_INTEGER } }, undefined],
    ['a range depends on a date', known, { conditions: { ifRange: DATE } }, undefined],
    ['it is of an earlier revision', { ...known, asOf: 'revision 7' }, {}, undefined],
    ['it is a file', known, {}, 'file:///a'],
  ] as const)('is asked of the source if %s', async (_, entry, request, url) => {
    const { asked } = await ask(entry as CatalogEntry, request, url);
    expect(asked).toEqual([`HEAD ${url ?? 'http://feed/a'}`]);
  });

  it('is answered without the feed if a range depends on a tag', async () => {
    const { asked } = await ask(known, { conditions: { ifRange: '"1"' } });
    expect(asked).toEqual([]);
  });

  it.each<[string, CatalogEntry]>([
    ['of other content', entryOf('othe', { size: 4, revision: 0 })],
    ['of unknown size', { ...known, size: undefined, revision: 0 }],
  ])('is asked of the source if that has only an older entry %s', async (_, older) => {
    const problem = new StreamError('SOURCE_BROKEN', 'feed', 'no importer');
    const { asked } = await ask(known, {}, undefined, {
      catalog: { lookup: () => of(known, older) },
      sources: [
        (entry) => of(entry === known ? broken(aCandidate('feed', entry), problem) : aCandidate('feed', entry)),
      ],
    });
    expect(asked).toEqual(['HEAD http://feed/bear.rpm']);
  });

  it('fails as GET does if no source can be asked', async () => {
    const problem = new StreamError('SOURCE_BROKEN', 'feed', 'no importer');
    const sources = [(entry: CatalogEntry) => of(broken(aCandidate('feed', entry), problem))];
    await expect(ask(known, {}, undefined, { sources })).rejects.toMatchObject({ code: 'SOURCE_BROKEN' });
  });

  it('has the fields of the last whole or partial answer about the same content at the same place', async () => {
    let [entry, url] = [known, 'http://feed/a'];
    const run = prepare({
      catalog: { lookup: () => of(entry) },
      sources: [(entry) => of(aCandidate('feed', entry, { url }))],
      open: unpaused((location, { from, last }) => {
        const [, type = ''] = /([^/]*)$/.exec(location.url) ?? [];
        const headers: Header[] = [
          ['Content-Type', `text/${type}`],
          ['Last-Modified', DATE],
        ];
        const isPart = last !== undefined;
        const head = sourceHead({ length: 4, status: isPart ? 206 : 200, from, last, headers });
        return of<SourceEvent[]>(head, chunk('abcd'.slice(from, isPart ? last + 1 : undefined)));
      }),
      newDigest,
      policy: aPolicy(),
      random: () => 0,
    });
    const fields = async (request: Partial<StreamRequest>) => {
      const events = await firstValueFrom(run(aRequest(request))(OPEN).pipe(toArray()));
      const { headers = [] } = events.find((event): event is Head => event.type === 'head') ?? {};
      return ['content-type', 'last-modified', 'content-range'].map((name) => field(headers, name));
    };
    const head = { method: 'HEAD' } as const;
    const unknown = [undefined, undefined, undefined];
    // An answer that says only that nothing has changed.
    expect(await fields({ conditions: { ifModifiedSince: Date.parse(DATE) } })).toEqual([undefined, DATE, undefined]);
    expect(await fields(head)).toEqual(unknown);
    expect(await fields({ ranges: [{ first: 1, last: 2 }] })).toEqual(['text/a', DATE, 'bytes 1-2/4']);
    expect(await fields(head)).toEqual(['text/a', DATE, undefined]);
    url = 'http://feed/b';
    expect(await fields(head)).toEqual(unknown);
    expect(await fields({})).toEqual(['text/b', DATE, undefined]);
    expect(await fields(head)).toEqual(['text/b', DATE, undefined]);
    url = 'http://feed/a';
    expect(await fields(head)).toEqual(['text/a', DATE, undefined]);
    entry = entryOf('abce', { size: 4 });
    expect(await fields(head)).toEqual(unknown);
  });

  it('fails as GET does if the content is too large', async () => {
    await expect(ask(known, {}, undefined, { policy: aPolicy({ sizeLimit: 3 }) })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });

  /** What only the source knows, so that it is missing before its first answer. */
  const ONLY_THERE = ['Content-Type', 'Last-Modified'];

  it.each([
    ['a feed', 'feed', 'http://feed/a'],
    ['an alternate source', 'alternate', 'http://other/a'],
    ['a saved copy', 'saved', 'file:///a'],
  ])('has the fields of a GET from %s, with and without checksum and size', async (_, kind, url) => {
    for (const entry of [known, { ...known, size: undefined }, { ...known, checksum: undefined }]) {
      const run = prepare({
        catalog: { lookup: () => of(entry) },
        sources: [
          (entry) => of({ entry, source: { kind, id: '' }, url, headers: [['Content-Type', 'application/x-guess']] }),
        ],
        open: unpaused((_, { method }) => {
          const head = sourceHead({
            length: 4,
            headers: [
              ['Content-Type', 'text/xml'],
              ['Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT'],
            ],
          });
          return method === 'HEAD' ? of<SourceEvent>(head) : of<SourceEvent[]>(head, chunk('abcd'));
        }),
        newDigest,
        policy: aPolicy(),
        random: () => 0,
      });
      const fields = async (method: 'GET' | 'HEAD') => {
        const events = await firstValueFrom(run(aRequest({ method }))(OPEN).pipe(toArray()));
        const { length, headers = [] } = events.find((event): event is Head => event.type === 'head') ?? {};
        return [['Content-Length', `${length}`], ...headers];
      };
      const before = await fields('HEAD');
      const got = await fields('GET');
      expect(await fields('HEAD')).toEqual(got);
      const isKnown = kind !== 'saved' && entry === known;
      expect(before).toEqual(isKnown ? got.filter(([name = '']) => !ONLY_THERE.includes(name)) : got);
    }
  });

  it('answers no GET that a proxy would have sent as a file', async () => {
    const { asked, head } = await ask(known, { method: 'GET', handOver: () => undefined });
    expect(head).toMatchObject({ status: 200, length: 4 });
    expect(head).not.toHaveProperty('handedOver');
    expect(asked).toEqual(['GET http://feed/a']);
  });
});
