import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();

/**
 * Pulp's storage, a repository that Pulp published by links into it, and a private file that other links
 * of the repository lead to.
 */
const scene = () => {
  const above = folder();
  const storage = join(above, 'pulp');
  const repository = join(above, 'repository');
  const secret = join(above, 'secret');
  writeFileSync(secret, 'secret');
  for (const part of ['content', 'importers', 'pool']) mkdirSync(join(storage, part), { recursive: true });
  mkdirSync(join(repository, 'pool'), { recursive: true });
  mkdirSync(join(repository, 'files'));
  writeFileSync(join(storage, 'content/unit'), 'unit');
  writeFileSync(join(storage, 'importers/client.key'), 'key');
  writeFileSync(join(repository, 'pool/bear'), 'bear');
  symlinkSync('../pool/bear', join(repository, 'files/within'));
  symlinkSync(join(storage, 'content/unit'), join(repository, 'files/published'));
  symlinkSync(join(storage, 'importers/client.key'), join(repository, 'files/key'));
  symlinkSync('../../secret', join(repository, 'files/out'));
  execFileSync('mkfifo', [join(repository, 'files/pipe')]);
  const site = (settings: Readonly<Record<string, string>> = {}) =>
    makeSite(start, above, { storage_dir: storage, dispatch: 'none', ...settings });
  return { above, repository, secret, site };
};

/** Statuses by name. */
const statuses = async (url: string, names: readonly string[]) => {
  const answers = await Promise.all(names.map((name) => askWhole(`${url}/${name}`)));
  return Object.fromEntries(names.map((name, at) => [name, answers[at]?.status]));
};

const NAMES = ['within', 'published', 'key', 'out', 'pipe'];

it('a followed feed and single files are served from their folder and the roots that are listed', async () => {
  const { repository, site } = scene();
  const { run, serve } = site();
  await run('catalog', 'follow', 'raw', repository, '--prefix', '/followed');
  for (const name of NAMES)
    await run('catalog', 'add', `/single/${name}`, pathToFileURL(join(repository, 'files', name)).href);
  const daemon = await serve();
  expect(await statuses(`${daemon.url}/followed/files`, NAMES)).toEqual({
    within: 200,
    published: 200,
    key: 502,
    out: 502,
    pipe: 404,
  });
  // The root of a single file is its own folder.
  expect(await statuses(`${daemon.url}/single`, NAMES)).toEqual({
    within: 502,
    published: 200,
    key: 502,
    out: 502,
    pipe: 404,
  });
  const [line] = await daemon.logged('request', { path: '/followed/files/out' });
  expect(JSON.stringify(line)).toMatch(
    /OUTSIDE_ROOT.*files\/out, which leads to .*\/secret, lies outside .*\/repository\/?; the setting file_roots can permit it/,
  );
  await daemon.stop();
  const listing = site({ file_roots: join(repository, '..') });
  const permitting = await listing.serve();
  expect(await statuses(`${permitting.url}/followed/files`, NAMES)).toMatchObject({ key: 200, out: 200 });
  await permitting.stop();
});

it('packages of an import are served from its folder alone, and its metadata is read from there', async () => {
  const { repository, secret, site } = scene();
  makeFilesRepository(repository, { 'pool/a': 'aa', 'sub/b': 'aa' });
  rmSync(join(repository, 'sub/b'));
  symlinkSync('../pool/a', join(repository, 'sub/b'));
  const { run, serve, start: begin } = site();
  await run('catalog', 'import', 'files', repository, '--prefix', '/imported');
  const daemon = await serve();
  for (const name of ['pool/a', 'sub/b']) expect((await askWhole(`${daemon.url}/imported/${name}`)).status).toBe(200);
  rmSync(join(repository, 'pool/a'));
  symlinkSync(secret, join(repository, 'pool/a'));
  expect((await askWhole(`${daemon.url}/imported/pool/a`)).status).toBe(502);
  await daemon.logged('request', { path: '/imported/pool/a', code: 'OUTSIDE_ROOT' });
  await daemon.stop();

  rmSync(join(repository, 'PULP_MANIFEST'));
  symlinkSync(secret, join(repository, 'PULP_MANIFEST'));
  const { status, stderr } = await begin('catalog', 'import', 'files', repository, '--prefix', '/imported').ended;
  expect(status).toBe(1);
  expect(stderr).toMatch(/PULP_MANIFEST, which leads to .*secret, lies outside .*repository.*file_roots/);
});
