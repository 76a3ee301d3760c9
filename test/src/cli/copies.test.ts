import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';
import { addCopiesCommands } from '../../../src/cli/copies.ts';
import { folderShelf } from '../../../src/saves/copies/folder-shelf.ts';
import { sidecarOf } from '../../../src/saves/copies/sidecar.ts';
import { digestOf, someBytes } from '../../support/collect.ts';
import { anEntry } from '../../support/pipeline.ts';
import { describing, keep, stores } from '../../support/stores.ts';

const { aStore, newFolder } = stores();

const HOUR = 3_600_000;

/**
 * The commands over copies of two contents: one with a checksum in the catalog, used an hour ago,
 * one without.
 */
const makeCli = async () => {
  const content = someBytes(5000);
  const known = describing(content, { path: '/known.rpm' });
  const bare = anEntry({ path: '/bare.rpm' });
  const store = aStore();
  await keep(store, known, content);
  await keep(store, bare, someBytes(700));
  await store.close();
  const files = store.files().map((file) => join(store.folder, file));
  const fileOf = (size: number) => files.find((file) => statSync(file).size === size) ?? '';
  const [knownFile, bareFile] = [fileOf(5000), fileOf(700)];
  const hourAgo = (Date.now() - HOUR) / 1000;
  utimesSync(sidecarOf(knownFile), hourAgo, hourAgo);
  const cli = (folder: string, entries: readonly CatalogEntry[]) => {
    const stdout = new PassThrough();
    const program = new Command('pulp-streamer').exitOverride();
    addCopiesCommands(program.command('copies'), {
      prepare: (command) => command.exitOverride().configureOutput({ writeErr: () => {} }),
      withCopies: async (_, work) => {
        const shelf = folderShelf({ folder });
        try {
          return await work(shelf, entries);
        } finally {
          shelf.close();
        }
      },
      stdout,
    });
    return async (...args: string[]) => {
      const said = text(stdout);
      const failure = await program
        .parseAsync(['copies', ...args], { from: 'user' })
        .then(() => undefined)
        .catch((error: Error) => error.message)
        .finally(() => stdout.end());
      return { said: await said, failure };
    };
  };
  const name = (file: string) => file.slice(store.folder.length + 1);
  const run = (...args: string[]) => cli(store.folder, [known, bare])(...args);
  return { run, cli, folder: store.folder, knownFile, bareFile, name };
};

/** Other bytes of the same length, as a failing disk returns them. */
const spoil = (file: string) => writeFileSync(file, someBytes(statSync(file).size + 1).subarray(1));

describe('copies list', () => {
  it('shows each copy, the least recently used first, with the path of its entry', async () => {
    const { run, knownFile, bareFile, name } = await makeCli();
    const { said } = await run('list', '--json');
    expect(JSON.parse(said)).toEqual([
      {
        file: name(knownFile),
        path: '/known.rpm',
        size: 5000,
        age: expect.any(Number),
        last_used: statSync(sidecarOf(knownFile)).mtime.toISOString(),
      },
      expect.objectContaining({ file: name(bareFile), path: '/bare.rpm', size: 700 }),
    ]);
    expect((await run('list')).said).toMatch(
      /^\S+\t5000\t\d+ s\t\S+Z\t\/known\.rpm\n\S+\t700\t\d+ s\t\S+Z\t\/bare\.rpm\n$/,
    );
  });

  it('shows a copy that no entry is of without a path', async () => {
    const { cli, folder } = await makeCli();
    expect((await cli(folder, [])('list')).said).toMatch(/^(\S+\t\d+\t\d+ s\t\S+Z\t-\n){2}$/);
  });

  it('is empty for a folder that does not exist, and does not make it', async () => {
    const { cli } = await makeCli();
    const none = join(newFolder(), 'none');
    expect(await cli(none, [])('list')).toEqual({ said: '', failure: undefined });
    expect(existsSync(none)).toBe(false);
  });
});

describe('copies verify', () => {
  it.each([true, false])('finds right copies right, with a catalog: %s', async (catalog) => {
    const { run, cli, folder, knownFile, bareFile } = await makeCli();
    const verify = catalog ? run : cli(folder, []);
    expect(await verify('verify')).toEqual({ said: 'verified 2 copies, removed 0\n', failure: undefined });
    expect([knownFile, bareFile].map((file) => existsSync(file))).toEqual([true, true]);
  });

  it.each([true, false])('removes and names each wrong one, with a catalog: %s', async (catalog) => {
    const { run, cli, folder, knownFile, bareFile, name } = await makeCli();
    spoil(knownFile);
    spoil(bareFile);
    const { said, failure } = await (catalog ? run : cli(folder, []))('verify', '--json');
    expect(JSON.parse(said)).toEqual({
      verified: 2,
      removed: [knownFile, bareFile].map((file, at) => ({
        file: name(file),
        ...(catalog && { path: ['/known.rpm', '/bare.rpm'][at] }),
        fault: expect.stringMatching(/^its sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}$/),
      })),
      unknown: [],
    });
    expect(failure).toBe('2 copies removed for wrong content');
    expect([knownFile, sidecarOf(knownFile), dirname(bareFile)].filter((path) => existsSync(path))).toEqual([]);
  });

  it('writes sums that are missing: of a copy without sidecar, and of an earlier version', async () => {
    const { run, knownFile, bareFile } = await makeCli();
    const blocks = (file: string) => JSON.parse(readFileSync(sidecarOf(file), 'utf8')).about.blocks;
    const [known, bare] = [blocks(knownFile), blocks(bareFile)];
    rmSync(sidecarOf(knownFile));
    const { version, about } = JSON.parse(readFileSync(sidecarOf(bareFile), 'utf8'));
    const { blocks: _, ...earlier } = about;
    const sum = digestOf(Buffer.from(JSON.stringify(earlier)));
    writeFileSync(sidecarOf(bareFile), JSON.stringify({ version, sum, about: earlier }));
    expect((await run('verify')).failure).toBeUndefined();
    expect([blocks(knownFile), blocks(bareFile)]).toEqual([known, bare]);
    expect(statSync(sidecarOf(knownFile)).mode & 0o777).toBe(0o600);
  });

  it('removes a copy without a catalog checksum if its sidecar is damaged: its coding is lost', async () => {
    const { run, bareFile, knownFile, name } = await makeCli();
    for (const file of [bareFile, knownFile]) writeFileSync(sidecarOf(file), '{}');
    const { said, failure } = await run('verify');
    expect(said).toBe(`removed\t${name(bareFile)}\t/bare.rpm\tits sidecar is damaged\nverified 2 copies, removed 1\n`);
    expect(failure).toBe('1 copy removed for wrong content');
    expect(existsSync(knownFile)).toBe(true);
  });

  it('leaves a copy alone that no checksum is known of, and names it', async () => {
    const { cli, folder, knownFile, name } = await makeCli();
    writeFileSync(sidecarOf(knownFile), '{}');
    const { said, failure } = await cli(folder, [])('verify');
    expect(said).toBe(`unknown\t${name(knownFile)}\t-\tno checksum of it is known\nverified 1 copy, removed 0\n`);
    expect(failure).toBeUndefined();
    expect(existsSync(knownFile)).toBe(true);
  });
});

describe('copies purge', () => {
  it.each([
    { args: ['--all'], said: 'removed 2 copies, 5700 bytes\n', left: [] },
    { args: ['--older-than', '30m'], said: 'removed 1 copy, 5000 bytes\n', left: [700] },
    { args: ['--older-than', '2h'], said: 'removed 0 copies, 0 bytes\n', left: [5000, 700] },
    { args: ['/bare.rpm'], said: 'removed 1 copy, 700 bytes\n', left: [5000] },
    { args: ['/bare.rpm', '/known.rpm', '--json'], said: '{"removed":2,"bytes":5700}\n', left: [] },
  ])('$args', async ({ args, said, left }) => {
    const { run } = await makeCli();
    expect(await run('purge', ...args)).toEqual({ said, failure: undefined });
    expect(JSON.parse((await run('list', '--json')).said).map(({ size }: { size: number }) => size)).toEqual(left);
  });

  it('takes a file as `copies list` shows it, and removes its folder and sidecar', async () => {
    const { cli, folder, bareFile, name } = await makeCli();
    await cli(folder, [])('purge', name(bareFile));
    expect(readdirSync(dirname(dirname(bareFile)))).not.toContain(dirname(bareFile).split('/').at(-1));
  });

  it.each([
    { args: ['/other.rpm', '/bare.rpm'], problem: 'no copy of /other.rpm; `copies list` shows all' },
    { args: [], problem: 'error: give one of names, --older-than and --all' },
    { args: ['--all', '/bare.rpm'], problem: 'error: give one of names, --older-than and --all' },
    { args: ['--older-than', 'long'], problem: expect.stringContaining('expected a duration of whole seconds') },
  ])('$args removes nothing', async ({ args, problem }) => {
    const { run, knownFile, bareFile } = await makeCli();
    expect(await run('purge', ...args)).toEqual({ said: '', failure: problem });
    expect([knownFile, bareFile].map((file) => existsSync(file))).toEqual([true, true]);
  });
});
