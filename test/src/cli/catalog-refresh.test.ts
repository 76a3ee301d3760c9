import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { catalogLease } from '../../../src/catalog/lease.ts';
import { leaseOf } from '../../../src/catalog/refresh-repository.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../../src/catalog/sqlite/refresh-store.ts';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { startFeed } from '../../support/feeds.ts';
import { DEB_TOOLS, itNeeding, makeFilesRepository, makeSuiteRepository } from '../../support/repositories.ts';
import { serveFolder } from '../../support/site-feeds.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

/** A folder of files that was imported below `/f`, and the commands for its catalog. */
const imported = async (...options: string[]) => {
  const [state, folder] = [newFolder(), newFolder()];
  makeFilesRepository(folder, { 'a.iso': 'A' });
  const cli = makeCatalogCli(state);
  await cli.run('catalog', 'import', 'files', folder, '--prefix', '/f', ...options);
  const entries = async () => JSON.parse((await cli.run('catalog', 'list', '/f', '--json')).out);
  const listed = async () => JSON.parse((await cli.run('catalog', 'list', '--json')).out);
  return { ...cli, folder, entries, listed, file: join(state, 'catalog.db') };
};

describe('catalog refresh', () => {
  it('imports again what has changed', async () => {
    const { run, folder, entries } = await imported();
    makeFilesRepository(folder, { 'a.iso': 'A', 'b.iso': 'BB' });
    expect((await run('catalog', 'refresh')).out).toBe(
      '/f: 2 packages and 1 metadata file, revision 2, in place of 2 earlier entries\n',
    );
    expect((await entries()).map(({ path }: { path: string }) => path)).toEqual([
      '/f/PULP_MANIFEST',
      '/f/a.iso',
      '/f/b.iso',
    ]);
  });

  it('writes no entry if nothing has changed', async () => {
    const { run, entries } = await imported();
    const before = await entries();
    expect((await run('catalog', 'refresh', '/f/')).out).toBe(
      '/f: 1 package and 1 metadata file, revision 1, unchanged\n',
    );
    expect(await entries()).toEqual(before);
  });

  it('restores entries that were removed from an unchanged repository', async () => {
    const { run, entries } = await imported();
    await run('catalog', 'remove', '/f/a.iso');
    expect((await run('catalog', 'refresh')).out).toContain('revision 2');
    expect(await entries()).toHaveLength(2);
  });

  it('keeps the revision before and says why, if the feed is broken', async () => {
    const { run, folder, entries, listed } = await imported('--every', '6h');
    const before = await entries();
    writeFileSync(join(folder, 'PULP_MANIFEST'), 'no manifest\n');
    await expect(run('catalog', 'refresh', '--json')).rejects.toThrow('1 of 1 repositories could not be refreshed');
    expect(await entries()).toEqual(before);
    const [repository] = await listed();
    expect(repository.error).toContain('PULP_MANIFEST');
    expect(Date.parse(repository.failed)).toBeGreaterThanOrEqual(Date.parse(repository.refreshed));

    makeFilesRepository(folder, { 'a.iso': 'A' });
    await run('catalog', 'refresh');
    expect((await listed())[0]).not.toHaveProperty('error');
  });

  it('leaves to another process what that one refreshes', async () => {
    const { run, file } = await imported();
    const catalog = openSqliteCatalog(file);
    const [repository] = catalog.repositories.list();
    if (!repository) throw new Error('no repository');
    const holding = new Promise<() => void>((resolve) => {
      const held = catalogLease(sqliteRefreshStore(catalog))(leaseOf(repository)).subscribe(() =>
        resolve(() => held.unsubscribe()),
      );
    });
    const release = await holding;
    await expect(run('catalog', 'refresh')).rejects.toThrow('1 of 1 repositories');
    release();
    expect(await firstValueFrom(catalogLease(sqliteRefreshStore(catalog))(leaseOf(repository)))).toBe(true);
    catalog.close();
  });

  it('names the prefixes that there are', async () => {
    const { run } = await imported();
    await expect(run('catalog', 'refresh', '/g')).rejects.toThrow('no repository at /g, expected one of /f');
  });

  it('refuses a tree without metadata', async () => {
    const { run, folder } = await imported();
    await run('catalog', 'follow', 'raw', folder, '--prefix', '/raw');
    await expect(run('catalog', 'refresh', '/raw')).rejects.toThrow('/raw is of type raw: it has no metadata');
    await expect(run('catalog', 'refresh', '/g')).rejects.toThrow('expected one of /f');
  });

  it('forgets a repository whose entries were removed', async () => {
    const { run, listed } = await imported();
    expect((await run('catalog', 'remove', '--prefix', '/f')).out).toBe(
      'removed 2 entries below /f, and what was known of /f\n',
    );
    expect(await listed()).toEqual([]);
    expect((await run('catalog', 'refresh')).out).toBe('');
  });

  itNeeding(DEB_TOOLS)('notices a file that appears, and one that goes', async () => {
    const [state, base] = [newFolder(), newFolder()];
    makeSuiteRepository(base, [{ name: 'bear', version: '4.1', size: 1 }]);
    const { run } = makeCatalogCli(state);
    await run('catalog', 'import', 'deb', base, '--prefix', '/d', '--suite', 'stable');
    expect((await run('catalog', 'refresh')).out).toContain('unchanged');
    writeFileSync(join(base, 'dists/stable/Release.gpg'), 'a signature');
    expect((await run('catalog', 'refresh')).out).toContain('revision 2');
    expect((await run('catalog', 'refresh')).out).toContain('unchanged');
    rmSync(join(base, 'dists/stable/Release.gpg'));
    expect((await run('catalog', 'refresh')).out).toContain('revision 3');
  });
});

describe('catalog list', () => {
  it('shows each repository, and the entries that belong to none', async () => {
    const { run, folder, listed } = await imported('--every', '6h');
    await run('catalog', 'add', '/x', 'https://h/x');
    const [repository, entry, ...others] = await listed();
    expect(repository).toMatchObject({ prefix: '/f', format: 'files', packages: 1, metadata: 1, every: 21_600 });
    expect(repository.feed).toBe(`file://${folder}/`);
    expect(Date.parse(repository.due) - Date.parse(repository.refreshed)).toBe(21_600_000);
    expect(entry).toMatchObject({ path: '/x' });
    expect(others).toEqual([]);
    const [line, next] = (await run('catalog', 'list')).out.split('\n');
    expect(line).toBe(
      ['/f/', 'files', `file://${folder}/`, '1 package and 1 metadata file', `as of ${repository.refreshed}`]
        .concat([`next before ${repository.due}`, 'well', 'unsigned'])
        .join('\t'),
    );
    expect(next).toBe('/x\t-\thttps://h/x');
  });

  it('shows what is known of repositories that were not read', async () => {
    const { run, folder, listed } = await imported('--every', '6h');
    const line = async (prefix: string) =>
      (await run('catalog', 'list')).out.split('\n').find((one) => one.startsWith(`${prefix}/\t`));
    await run('catalog', 'follow', 'files', folder, '--prefix', '/f');
    expect(await line('/f')).toContain('\tfollows its feed\twell\tunsigned');
    expect((await listed())[0]).not.toHaveProperty('every');
    await run('catalog', 'follow', 'files', folder, '--prefix', '/g');
    expect(await line('/g')).toContain('\tnot read yet\tfollows its feed\t-\tunsigned');
    await run('catalog', 'follow', 'raw', folder, '--prefix', '/raw');
    expect(await line('/raw')).toContain('\tno metadata\tfollows its feed\t-\tunsigned');
  });

  it.each(['10s', 'soon', '0'])('takes no interval of %s', async (every) => {
    const cli = makeCatalogCli(newFolder());
    await expect(
      cli.run('catalog', 'import', 'files', newFolder(), '--prefix', '/f', '--every', every),
    ).rejects.toThrow('expected a duration of at least 60 s');
  });
});

it('reads only what nothing vouches for, if the repository is unchanged', async () => {
  const asked: string[] = [];
  const files = serveFolder(join(import.meta.dirname, '../../../examples/zoo'));
  const feed = await startFeed((request, response) => {
    asked.push(request.url ?? '');
    return files(request, response);
  });
  try {
    const { run } = makeCatalogCli(newFolder());
    await run('catalog', 'import', 'yum', feed.url, '--prefix', '/zoo');
    expect(asked.some((path) => path.includes('primary'))).toBe(true);
    asked.length = 0;
    expect((await run('catalog', 'refresh')).out).toContain('unchanged');
    expect(asked).toContain('/repodata/repomd.xml');
    expect(asked.filter((path) => /primary|filelists|other/.test(path))).toEqual([]);
  } finally {
    await feed.close();
  }
});
