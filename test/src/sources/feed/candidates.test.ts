import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of } from 'rxjs';
import type { Access, CatalogEntry } from '../../../../pipelines/model/index.ts';
import { accessOf } from '../../../../src/catalog/access.ts';
import { feedCandidates } from '../../../../src/sources/feed/candidates.ts';
import { anEntry } from '../../../support/pipeline.ts';

describe('feedCandidates', () => {
  it('has one access for an importer as long as the catalog gives the same', async () => {
    const accesses: Access[] = [{ ca: 'one' }, { ca: 'two' }];
    const find = feedCandidates({ access: () => of(accesses[0]!) });
    const accessOf = async (importerId: string) => (await firstValueFrom(find(anEntry({ importerId })))).access;
    const first = await accessOf('a');
    expect(first).toEqual({ ca: 'one', owner: { kind: 'importer', id: 'a' } });
    expect(await accessOf('a')).toBe(first);
    // Another importer with the same credentials has limits of its own.
    expect(await accessOf('b')).toEqual({ ca: 'one', owner: { kind: 'importer', id: 'b' } });
    accesses.shift();
    expect(await accessOf('a')).toEqual({ ca: 'two', owner: { kind: 'importer', id: 'a' } });
  });

  it('has the root of a file: of its entry, otherwise of its importer', async () => {
    const find = feedCandidates({ access: () => of(accessOf({ feed: 'file:///srv/feed%20of/' })) });
    const url = 'file:///srv/feed%20of/a.rpm';
    const rootOf = async (more: Partial<CatalogEntry>) => (await firstValueFrom(find(anEntry({ url, ...more })))).root;
    expect(await rootOf({})).toBe('/srv/feed of/');
    expect(await rootOf({ root: '/srv' })).toBe('/srv');
  });

  it('is broken if a feed over HTTP leads to a file', async () => {
    const find = feedCandidates({ access: () => of(accessOf({ feed: 'https://feed.example.com/' })) });
    for (const url of ['file:///etc/passwd', '/etc/passwd', 'FILE:/etc/passwd'])
      expect((await firstValueFrom(find(anEntry({ url })))).problem).toMatchObject({
        code: 'OUTSIDE_ROOT',
        message: `the feed at https://feed.example.com/ led to ${url}; expected http: or https:`,
      });
    // An operator imported a folder.
    expect((await firstValueFrom(find(anEntry({ url: '/srv/a', root: '/srv' })))).problem).toBeUndefined();
  });
});
