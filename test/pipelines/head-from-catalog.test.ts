import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of, toArray } from 'rxjs';
import { type CatalogEntry, type Head, type LazyFetchDeps, prepare, type SourceEvent } from '../../pipelines/index.ts';
import { OPEN } from '../../pipelines/operators/valve.ts';
import { aPolicy, aRequest, chunk, entryOf, fetched, newDigest, sourceHead, unpaused } from '../support/pipeline.ts';

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
    expect(head).toMatchObject({ status: 200, length: 4, candidate: { source: { kind: 'catalog' } } });
    expect(head?.headers.map(([name]) => name)).toEqual([
      ...['ETag', 'Repr-Digest', 'Digest', 'Accept-Ranges', 'Cache-Control'],
    ]);
  });

  it.each([
    ['its size is unknown', entryOf('abcd'), {}, undefined],
    ['it has no checksum', { ...known, checksum: undefined }, {}, undefined],
    ['it is empty', entryOf('', { size: 0 }), {}, undefined],
    ['a date is to be compared', known, { conditions: { ifModifiedSince: 0 } }, undefined],
    ['it is of an earlier revision', { ...known, asOf: 'revision 7' }, {}, undefined],
    ['it is a file', known, {}, 'file:///a'],
  ] as const)('is asked of the source if %s', async (_, entry, request, url) => {
    const { asked } = await ask(entry as CatalogEntry, request, url);
    expect(asked).toEqual([`HEAD ${url ?? 'http://feed/a'}`]);
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
