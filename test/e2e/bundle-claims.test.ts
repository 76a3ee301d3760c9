import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { carriedFiles, madeBundle } from '../support/made-bundles.ts';
import { describeMongo, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { sharedStores } from '../support/shared-catalog.ts';
import { makeSite, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();

/** Enough to be stopped while they are put in their places. */
const MANY = Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`/r/${at}.rpm`, `package ${at}`]));

/** Copies that a site has, one folder for many of them. */
const foldersOf = ({ stateDir }: Site): number => {
  const saved = join(stateDir, 'saved');
  return existsSync(saved) ? readdirSync(saved).filter((name) => /^[0-9a-f]{2}$/.test(name)).length : 0;
};

/** `sitesOf`: a site, and another one that can import at the same time, if the catalog allows that. */
const claims = (sitesOf: () => Promise<readonly [Site, Site?]>) => () => {
  /** Imports a bundle of many files at /r, and does something else while it is at it. */
  const importing = async (site: Site, claim: () => Promise<unknown>) => {
    const bundle = await madeBundle(folder(), carriedFiles(MANY));
    const before = foldersOf(site);
    const running = site.start('import-bundle', bundle);
    await until(() => foldersOf(site) > before);
    running.kill('SIGSTOP');
    await claim();
    running.kill('SIGCONT');
    const { status, stdout, stderr } = await running.ended;
    return { bundle, status, stdout: stdout.toString(), stderr };
  };
  const listed = async (site: Site, what: string) => JSON.parse(await site.run(what, 'list', '--json'));
  const repository = (files: Readonly<Record<string, string>>) => {
    const made = folder();
    makeFilesRepository(made, files);
    return made;
  };

  it.each<readonly [string, readonly string[], RegExp]>([
    ['is imported', ['import', 'files'], /^error: \/r is imported from file:.* on this machine; remove it first/],
    ['is followed', ['follow', 'files'], /^error: \/r is followed from file:.* on this machine; remove it first/],
  ])('is refused, and changes nothing, if its prefix %s while it is read', async (_, words, reason) => {
    const [site] = await sitesOf();
    const feed = repository({ '0.rpm': 'the feed’s' });
    const { status, stderr, bundle } = await importing(site, () =>
      site.run('catalog', ...words, feed, '--prefix', '/r'),
    );
    expect([status, stderr]).toEqual([1, expect.stringMatching(reason)]);
    const daemon = await site.serve();
    expect((await askWhole(`${daemon.url}/r/0.rpm`)).body.toString()).toBe('the feed’s');
    expect(await askWhole(`${daemon.url}/r/1.rpm`)).toMatchObject({ status: 404 });
    expect((await listed(site, 'catalog')).map(({ feed }: { feed: string }) => feed)).toEqual([
      expect.stringMatching(/^file:/),
    ]);
    expect(await listed(site, 'importers')).toHaveLength(1);

    await site.run('catalog', 'remove', '--prefix', '/r');
    expect(JSON.parse(await site.run('import-bundle', '--json', bundle))).toMatchObject({ files: 0, present: 600 });
    await until(async () => (await askWhole(`${daemon.url}/r/0.rpm`)).body.toString() === 'package 0');
  });

  it('is refused if a folder above its prefix is followed while it is read', async () => {
    const [site] = await sitesOf();
    const { status, stderr } = await importing(site, () =>
      site.run('catalog', 'follow', 'files', repository({ a: 'A' }), '--prefix', '/'),
    );
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^error: \/r overlaps \/, which is followed from /)]);
    expect(await listed(site, 'catalog')).toHaveLength(1);
  });

  it.each<readonly [string, object, RegExp]>([
    ['of the same feed', {}, /^error: \/r was imported from another bundle while this one was read; nothing of it/],
    [
      'of another feed',
      { feed: 'http://other.example/' },
      /^error: \/r was brought by a bundle of http.*other\.example/,
    ],
  ])('is not mixed with a bundle %s that is imported while it is read', async (_, more, reason) => {
    const [site, another] = await sitesOf();
    const other = await madeBundle(folder(), carriedFiles({ '/r/0.rpm': 'of another bundle' }, more));
    if (!another) {
      const { status } = await importing(site, async () => {
        const second = await site.start('import-bundle', other).ended;
        expect([second.status, second.stderr]).toEqual([
          1,
          expect.stringMatching(/another process brings metadata to/),
        ]);
      });
      expect(status).toBe(0);
      return;
    }
    const { status, stderr } = await importing(site, () => another.run('import-bundle', other));
    expect([status, stderr]).toEqual([1, expect.stringMatching(reason)]);
    const daemon = await another.serve();
    expect((await askWhole(`${daemon.url}/r/0.rpm`)).body.toString()).toBe('of another bundle');
    expect(await askWhole(`${daemon.url}/r/1.rpm`)).toMatchObject({ status: 404 });
    expect([(await listed(site, 'catalog')).length, (await listed(site, 'importers')).length]).toEqual([1, 1]);
  });

  it('does not bring back what is removed while it is read', async () => {
    const [site] = await sitesOf();
    await site.run('import-bundle', await madeBundle(folder(), carriedFiles({ '/r/0.rpm': 'earlier' })));
    const { status, stderr } = await importing(site, () => site.run('catalog', 'remove', '--prefix', '/r'));
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^error: \/r was removed while this one was read/)]);
    expect(await listed(site, 'catalog')).toEqual([]);
  });

  it('says that single entries are below its prefix', async () => {
    const [site] = await sitesOf();
    const { status, stderr } = await importing(site, () =>
      site.run('catalog', 'add', '/r/single.rpm', 'http://127.0.0.1:1/single.rpm'),
    );
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^warning: below \/r are also entries of importer \w+\n$/),
    ]);
  });
};

describe(
  'A bundle',
  claims(async () => [makeSite(start, folder())]),
);

describeMongo(`A bundle and a catalog that is shared in ${serverName}`, () => {
  const stores = sharedStores();
  claims(async () => {
    const { url } = await stores.catalog();
    const settings = { catalog_type: 'shared', shared_catalog_url: url };
    return [makeSite(start, folder(), settings), makeSite(start, folder(), settings)];
  })();
});
