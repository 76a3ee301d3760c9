import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { type BuiltFile, builtFiles, itNeeding, makeFilesRepository, run, write } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds, serveFolder } from '../support/site-feeds.ts';
import { startSquid } from '../support/squid.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const PREFIX = '/pulp/repos/zoo';
const CONTENTS = {
  'bear.iso': 'bear',
  'cubs/a b+c.iso': 'cub',
  'cubs/1:2/x&y.iso': 'x',
  'empty.iso': '',
  ...Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`many/${index}.iso`, `${index}`])),
};

const imported = async (repository: string, settings: Readonly<Record<string, string>> = {}) => {
  const feed = await startFeed(serveFolder(repository));
  const site = makeSite(start, folder(), { dispatch: 'none', ...settings });
  await site.run('catalog', 'import', 'files', `${feed.url}/`, '--prefix', PREFIX);
  return site;
};

const serve = async (...options: Parameters<typeof imported>) => (await (await imported(...options)).serve()).url;

const openZoo = async () => {
  const repository = join(folder(), 'zoo');
  makeFilesRepository(repository, CONTENTS);
  const files = builtFiles(repository);
  return { url: await serve(repository, { listings: 'yes' }), files };
};

/** Without the listings themselves, which wget keeps. */
const copied = (copy: string): BuiltFile[] =>
  builtFiles(copy).filter(({ path }) => !/(^|\/)index\.html(\.tmp)?$/.test(path));

/** A client that copies a whole tree by its listings. */
const COPIERS: Readonly<Record<string, (url: string, to: string) => readonly string[]>> = {
  wget: (url, to) => ['-q', '-r', '-np', '-nH', '--cut-dirs=3', '--reject=index.html', '-P', to, url],
  lftp: (url, to) => ['-c', `set net:max-retries 1; mirror --parallel=4 ${url} ${to}`],
  rclone: (url, to) => ['copy', '--config=', `--http-url=${url}`, ':http:', to],
};

describe('A listing of the catalog', () => {
  for (const [tool, argumentsOf] of Object.entries(COPIERS))
    itNeeding([tool])(`is enough for ${tool} to copy the tree`, async () => {
      const { url, files } = await openZoo();
      const copy = join(folder(), 'copy');
      mkdirSync(copy);
      await succeeded(
        start(tool, argumentsOf(`${url}${PREFIX}/`, copy), { env: { ...ownEnvironment(), HOME: folder() } }),
      );
      expect(copied(copy)).toEqual(files);
    });

  itNeeding(['wget', 'squid'])('is enough through Squid, with a redirect to the folder', async () => {
    const { url, files } = await openZoo();
    const squid = await startSquid(start, folder(), url);
    const response = await fetch(`${squid.url}${PREFIX}`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([301, './zoo/']);
    const copy = folder();
    await succeeded(
      start('wget', COPIERS.wget?.(`${squid.url}${PREFIX}/cubs/`, copy) ?? [], { env: ownEnvironment() }),
    );
    const cubs = files.filter(({ path }) => path.startsWith('cubs/'));
    expect(
      copied(copy)
        .map(({ sha256 }) => sha256)
        .sort(),
    ).toEqual(cubs.map(({ sha256 }) => sha256).sort());
  });

  itNeeding([])('is JSON if that is preferred', async () => {
    const { url } = await openZoo();
    const response = await fetch(`${url}${PREFIX}/cubs`, { headers: { Accept: 'application/json, */*' } });
    expect(response.url).toBe(`${url}${PREFIX}/cubs/`);
    expect(await response.json()).toEqual([
      { name: '1:2', type: 'directory' },
      { name: 'a b+c.iso', type: 'file', size: 3, checksum: expect.stringMatching(/^sha256:/) },
    ]);
    const page = await fetch(`${url}${PREFIX}/cubs/`, { headers: { Accept: 'text/html, application/json;q=0.9' } });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  itNeeding([])('is what fetch writes, and a folder without its slash is no empty file', async () => {
    const repository = join(folder(), 'zoo');
    makeFilesRepository(repository, { 'cubs/a.iso': 'a' });
    const site = await imported(repository, { listings: 'yes' });
    expect(await site.run('fetch', `${PREFIX}/`)).toContain('<a href="cubs/">cubs/</a>');
    const { status, stdout, stderr } = await site.start('fetch', `${PREFIX}/cubs`).ended;
    expect([status === 0, stdout.length]).toEqual([false, 0]);
    expect(stderr).toContain(`${PREFIX}/cubs is a folder, expected a file or ${PREFIX}/cubs/`);
  });

  itNeeding([])('is not there unless it is asked for', async () => {
    const repository = join(folder(), 'zoo');
    makeFilesRepository(repository, { 'a.iso': 'a' });
    const url = await serve(repository);
    expect((await fetch(`${url}${PREFIX}/`)).status).toBe(404);
    expect((await fetch(`${url}${PREFIX}`)).status).toBe(404);
  });
});

/** An index of Python packages as static files, with their checksums in a list. */
const makePythonIndex = (base: string): void => {
  const wheel = 'zoo-1.0-py3-none-any.whl';
  const work = join(base, '.work');
  const info = 'zoo-1.0.dist-info';
  write(join(work, 'zoo/__init__.py'), '');
  write(join(work, info, 'METADATA'), 'Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n');
  write(join(work, info, 'WHEEL'), 'Wheel-Version: 1.0\nGenerator: zoo\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
  write(join(work, info, 'RECORD'), '');
  mkdirSync(join(base, 'packages'));
  run('python3', ['-m', 'zipfile', '-c', join(base, 'packages', wheel), 'zoo', info], work);
  run('rm', ['-r', work], base);
  write(join(base, 'simple/zoo/index.html'), `<!DOCTYPE html><a href="../../packages/${wheel}">${wheel}</a>`);
  write(join(base, 'SHA256SUMS'), run('sha256sum', [`packages/${wheel}`, 'simple/zoo/index.html'], base));
};

describe('The index of a folder', () => {
  itNeeding(['python3', 'pip3', 'sha256sum'])('is what pip asks for', async () => {
    const repository = join(folder(), 'pypi');
    makePythonIndex(repository);
    const url = await serve(repository);
    const there = folder();
    const options = ['--isolated', '--no-cache-dir', '--disable-pip-version-check', '--no-deps', '-d', there];
    await succeeded(
      start('pip3', ['download', ...options, '--index-url', `${url}${PREFIX}/simple/`, 'zoo==1.0'], {
        env: { ...ownEnvironment(), HOME: folder() },
      }),
    );
    expect(builtFiles(there).map(({ sha256 }) => sha256)).toEqual(
      builtFiles(repository)
        .filter(({ path }) => path.endsWith('.whl'))
        .map(({ sha256 }) => sha256),
    );
    const redirected = await fetch(`${url}${PREFIX}/simple/zoo`, { redirect: 'manual' });
    expect([redirected.status, redirected.headers.get('location')]).toEqual([301, './zoo/']);
  });
});
