import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, from, of, throwError, toArray } from 'rxjs';
import { type Candidate, type CatalogEntry, type Offer, sourceName } from '../../../pipelines/model/index.ts';
import { alternateCandidates } from '../../../src/alternates/candidates.ts';
import type { AlternateSource } from '../../../src/alternates/descriptors/parse.ts';
import { anEntry, aSource as aSourceId } from '../../support/pipeline.ts';

const aSource = (id: string, more: Partial<AlternateSource> = {}): AlternateSource => ({
  id,
  name: id,
  type: 'yum',
  baseUrl: `http://${id}/`,
  paths: [],
  priority: 0,
  expires: 86_400,
  access: {},
  ...more,
});

const find = (
  sources: readonly AlternateSource[],
  offers: readonly Offer[],
  entry: CatalogEntry = anEntry(),
): Promise<Candidate[]> =>
  firstValueFrom(alternateCandidates({ offers: () => from(offers) }, () => sources)(entry).pipe(toArray()));

describe('alternate candidates', () => {
  it('come lowest priority number first, ids deciding between equals', async () => {
    const sources = [
      aSource('b', { priority: 2 }),
      aSource('z', { priority: 0 }),
      aSource('c', { priority: 1 }),
      aSource('a', { priority: 2 }),
    ];
    const offers = ['a', 'b', 'c', 'z'].map((sourceId) => ({ sourceId, url: `http://${sourceId}/x` }));
    expect((await find(sources, offers)).map(({ source }) => sourceName(source))).toEqual([
      'alternate:z',
      'alternate:c',
      'alternate:a',
      'alternate:b',
    ]);
  });

  it('have their source’s access, and for files its folder as root', async () => {
    const access = { basicAuth: { username: 'me', password: 'secret' }, maxSpeed: 9 };
    const sources = [aSource('web', { access }), aSource('disk', { baseUrl: 'file:///mnt/a%20b/', priority: 1 })];
    const offers = [
      { sourceId: 'disk', url: 'file:///mnt/a%20b/x.rpm' },
      { sourceId: 'web', url: 'http://web/x.rpm' },
    ];
    const entry = anEntry();
    const headers = [['Content-Type', 'application/x-rpm']];
    expect(await find(sources, offers, entry)).toEqual([
      { entry, source: aSourceId('alternate:web'), url: 'http://web/x.rpm', access, headers },
      { entry, source: aSourceId('alternate:disk'), url: 'file:///mnt/a%20b/x.rpm', root: '/mnt/a b/', access: {} },
    ]);
  });

  it('are none for unknown sources', async () =>
    expect(await find([aSource('known')], [{ sourceId: 'unknown', url: 'http://unknown/x' }])).toEqual([]));

  it.each(['http://elsewhere/x', 'https://one/x', 'file:///etc/passwd', 'http://one.evil/x', 'rubbish'])(
    'do not exist for an offer outside its source’s base (%s), and no credentials are sent there',
    async (url) => expect(await find([aSource('one')], [{ sourceId: 'one', url }])).toEqual([]),
  );

  it('cannot leave the base by dots', async () => {
    const sources = [aSource('one', { baseUrl: 'http://one/a/' })];
    expect(await find(sources, [{ sourceId: 'one', url: 'http://one/a/../b' }])).toEqual([]);
    expect(await find(sources, [{ sourceId: 'one', url: 'http://one/a/%2e%2e/b' }])).toEqual([]);
    const entry = anEntry({ path: `/units/distribution/aa/${'b'.repeat(62)}/images/../../../b` });
    expect(await find(sources, [{ sourceId: 'one', url: 'http://one/a/tree/' }], entry)).toEqual([]);
  });

  it('of a unit of several files lead to the requested file', async () => {
    const digest = `${'a'.repeat(2)}/${'b'.repeat(62)}`;
    const entry = anEntry({ path: `/var/lib/pulp/content/units/distribution/${digest}/images/a b/boot.iso` });
    const [found] = await find([aSource('one')], [{ sourceId: 'one', url: 'http://one/tree/' }], entry);
    expect(found?.url).toBe('http://one/tree/images/a%20b/boot.iso');
  });

  it('follow the descriptors as they change', async () => {
    let sources = [aSource('one')];
    const finder = alternateCandidates({ offers: () => of({ sourceId: 'one', url: 'http://one/x' }) }, () => sources);
    const count = async () => (await firstValueFrom(finder(anEntry()).pipe(toArray()))).length;
    expect(await count()).toBe(1);
    sources = [];
    expect(await count()).toBe(0);
  });

  it('without a known access carry that problem, and the others are there', async () => {
    const finder = alternateCandidates(
      {
        offers: () => of({ sourceId: 'bad', url: 'http://bad/x' }, { sourceId: 'good', url: 'http://good/x' }),
      },
      () => [aSource('bad'), aSource('good', { priority: 1 })],
      ({ id }) => (id === 'bad' ? throwError(() => new Error('no identity')) : of({})),
    );
    const found = await firstValueFrom(finder(anEntry()).pipe(toArray()));
    expect(found).toMatchObject([
      { source: aSourceId('alternate:bad'), problem: { code: 'INTERNAL', message: 'no identity' } },
      { source: aSourceId('alternate:good') },
    ]);
    expect(found[1]?.problem).toBeUndefined();
  });

  it('fail as the catalog does', async () => {
    const finder = alternateCandidates({ offers: () => throwError(() => new Error('down')) }, () => [aSource('one')]);
    await expect(firstValueFrom(finder(anEntry()).pipe(toArray()))).rejects.toThrow('down');
  });

  it('do not exist without sources, and the catalog is not asked', async () => {
    const finder = alternateCandidates({ offers: () => throwError(() => new Error('asked')) }, () => []);
    expect(await firstValueFrom(finder(anEntry()).pipe(toArray()))).toEqual([]);
  });
});
