import { cpSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { receive } from '../support/clients.ts';
import { startApacheFiles, startNginxFiles } from '../support/file-servers.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { itNeeding, makeFilesRepository } from '../support/repositories.ts';
import { makeSite, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();

const OLD = new Date('2026-01-01');
const LATER = new Date('2026-01-02');

/** Makes all repositories of a site as old as the hills. */
const age = ({ stateDir }: Site): void => {
  const catalog = openSqliteCatalog(join(stateDir, 'catalog.db'));
  for (const repository of catalog.repositories.list()) catalog.repositories.save({ ...repository, succeeded: 1 });
  catalog.close();
};

const makeImported = async () => {
  const feed = folder();
  makeFilesRepository(feed, { 'a.iso': 'A' });
  const site = makeSite(start, folder());
  await site.run('catalog', 'import', 'files', feed, '--prefix', '/f', '--every', '1h');
  return { feed, site };
};

describe.each([
  ['nginx', startNginxFiles],
  ['apache2', startApacheFiles],
] as const)('a refresh from %s', (name, startFeed) => {
  itNeeding([name])('reads no file again that the feed says is unchanged', async () => {
    const home = folder();
    const www = join(home, 'www');
    cpSync(join(import.meta.dirname, '../../examples/zoo'), www, { recursive: true });
    const repomd = join(www, 'repodata/repomd.xml');
    // A file that has just changed may change again within the same second.
    const settle = () => utimesSync(repomd, OLD, OLD);
    settle();
    const feed = await startFeed(start, home);
    const site = makeSite(start, folder());
    await site.run('catalog', 'import', 'yum', feed.url, '--prefix', '/zoo');
    const asked = async (): Promise<readonly string[]> => {
      const before = feed.requests().length;
      expect(await site.run('catalog', 'refresh')).toContain('unchanged');
      // A server may write its log after its answer.
      await until(
        () =>
          feed.requests().length > before &&
          feed
            .requests()
            .slice(before)
            .some((one) => !one.endsWith('404')),
      );
      return feed
        .requests()
        .slice(before)
        .filter((one) => !one.endsWith('404'));
    };
    expect(await asked()).toEqual(['GET 304']);
    expect(await asked()).toEqual(['GET 304']);
    utimesSync(repomd, LATER, LATER);
    expect(await asked()).toEqual(['GET 200']);
    expect(await asked()).toEqual(['GET 304']);
    const now = new Date();
    utimesSync(repomd, now, now);
    expect(await asked()).toEqual(['GET 200']);
    expect(await asked()).toEqual(['GET 200']);

    writeFileSync(repomd, readFileSync(repomd, 'utf8').replace('</revision>', '0</revision>'));
    settle();
    expect(await site.run('catalog', 'refresh')).toContain('revision 2');
  });
});

describe('the daemon', () => {
  it('imports a repository again before it is too old, in a process of its own', async () => {
    const { feed, site } = await makeImported();
    makeFilesRepository(feed, { 'a.iso': 'A', 'b.iso': 'BB' });
    age(site);
    const daemon = await site.serve();
    const [line] = await daemon.logged('repository refreshed', { prefix: '/f' });
    expect(line).toMatchObject({ revision: 2, packages: 2, metadata: 1 });
    expect(await receive(`${daemon.url}/f/b.iso`)).toMatchObject({ status: 200, bytes: 2 });
    const [repository] = JSON.parse(await site.run('catalog', 'list', '--json'));
    expect(Date.parse(repository.refreshed)).toBeGreaterThan(1000);
    expect((await daemon.stop()).status).toBe(0);
  });

  it('notices an import while it runs', async () => {
    const site = makeSite(start, folder());
    const daemon = await site.serve();
    const feed = folder();
    makeFilesRepository(feed, { 'a.iso': 'A' });
    await site.run('catalog', 'import', 'files', feed, '--prefix', '/f', '--every', '1h');
    age(site);
    await daemon.logged('repository unchanged', { prefix: '/f' });
  });

  it('keeps what it has if the feed is broken, and says so', async () => {
    const { feed, site } = await makeImported();
    makeFilesRepository(feed, {});
    age(site);
    const daemon = await site.serve();
    const [line] = await daemon.logged('repository not refreshed, retrying', { prefix: '/f' });
    expect(line?.error).toContain('PULP_MANIFEST');
    expect(await receive(`${daemon.url}/f/a.iso`)).toMatchObject({ status: 200, bytes: 1 });
    const [repository] = JSON.parse(await site.run('catalog', 'list', '--json'));
    const wait = Date.parse(repository.retry) - Date.parse(repository.failed);
    expect(wait).toBeCloseTo(Number(line?.retryInMs), -1);
    expect(await site.run('catalog', 'list')).toContain(`next try ${repository.retry}\tfailed: PULP_MANIFEST`);
  });

  it('shows a failure that came before the import', async () => {
    const { site } = await makeImported();
    const importerId = 'f'.repeat(24);
    const catalog = openSqliteCatalog(join(site.stateDir, 'catalog.db'));
    for (const repository of catalog.repositories.list())
      catalog.repositories.save({ ...repository, prefix: '/g', importerId, succeeded: 1 });
    catalog.close();
    const daemon = await site.serve();
    await daemon.logged('repository not refreshed, retrying', { prefix: '/g' });
    expect((await daemon.stop()).status).toBe(0);
    const listed = JSON.parse(await site.run('catalog', 'list', '--json')) as readonly Record<string, unknown>[];
    expect(listed.find(({ prefix }) => prefix === '/g')?.error).toBe(`importer ${importerId} is not in the catalog`);
  });
});
