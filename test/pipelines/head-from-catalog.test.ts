import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of, toArray } from 'rxjs';
import {
  type CatalogEntry,
  type Head,
  type LazyFetchDeps,
  lazyFetch,
  type SourceEvent,
} from '../../pipelines/index.ts';
import { aPolicy, aRequest, entryOf, newDigest, sourceHead } from '../support/pipeline.ts';

describe('HEAD', () => {
  const known = entryOf('abcd', { size: 4 });

  const ask = async (entry: CatalogEntry, request = {}, url = 'http://feed/a', more: Partial<LazyFetchDeps> = {}) => {
    const asked: string[] = [];
    const events = lazyFetch(aRequest({ method: 'HEAD', ...request }), {
      catalog: { lookup: () => of(entry) },
      sources: [
        (entry) => of({ entry, source: { kind: 'feed', id: 'feed' }, url, headers: [['Content-Type', 'text/xml']] }),
      ],
      open: (location, { method }) => {
        asked.push(`${method} ${location.url}`);
        return of<SourceEvent>(sourceHead({ length: entry.size }));
      },
      newDigest,
      policy: aPolicy(),
      random: () => 0,
      ...more,
    });
    const all = await firstValueFrom(events.pipe(toArray()));
    return { asked, head: all.find((event): event is Head => event.type === 'head') };
  };

  it('is answered without the feed if the catalog has size and checksum', async () => {
    const { asked, head } = await ask(known);
    expect(asked).toEqual([]);
    expect(head).toMatchObject({ status: 200, length: 4, candidate: { source: { kind: 'catalog' } } });
    expect(head?.headers.map(([name]) => name)).toEqual([
      ...['Content-Type', 'ETag', 'Repr-Digest', 'Digest', 'Accept-Ranges', 'Cache-Control'],
    ]);
  });

  it.each([
    ['its size is unknown', entryOf('abcd'), {}, undefined],
    ['it has no checksum', { ...known, checksum: undefined }, {}, undefined],
    ['it is empty', entryOf('', { size: 0 }), {}, undefined],
    ['a date is to be compared', known, { conditions: { ifModifiedSince: 0 } }, undefined],
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
});
