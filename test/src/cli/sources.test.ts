import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { sqliteOfferSearch } from '../../../src/catalog/sqlite/offer-search.ts';
import { addSourcesCommands } from '../../../src/cli/sources.ts';
import type { UnhealthySource } from '../../../src/observe/health-file.ts';
import { yum } from '../../../src/repositories/yum.ts';
import { descriptorOf, makeAlternates } from '../../support/alternates.ts';
import { importFolder } from '../../support/importing.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const ZOO = join(import.meta.dirname, '../../../examples/zoo');

/** The commands over a folder with descriptors and a catalog. */
const makeCli = ({ terminal = false, unhealthy = [] as readonly UnhealthySource[] } = {}) => {
  const folder = newFolder();
  mkdirSync(join(folder, 'conf.d'));
  const run = async (...args: string[]): Promise<{ out: string; err: string; error?: unknown }> => {
    const stdout = new PassThrough();
    const stderr = Object.assign(new PassThrough(), { isTTY: terminal });
    const program = new Command('pulp-streamer').exitOverride().configureOutput({ writeErr: () => {} });
    addSourcesCommands(program.command('sources'), {
      prepare: (command) => command.exitOverride().configureOutput({ writeErr: () => {} }),
      open: () => {
        const alternates = makeAlternates(folder);
        return { search: sqliteOfferSearch(alternates.catalog), alternates, unhealthy, close: alternates.end };
      },
      stdout,
      stderr,
    });
    const said = Promise.all([text(stdout), text(stderr)]);
    const error = await program.parseAsync(['sources', ...args], { from: 'user' }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    stdout.end();
    stderr.end();
    const [out, err] = await said;
    return { out, err, error };
  };
  return {
    run,
    folder,
    describe: (id: string, base: string, more = {}) =>
      writeFileSync(join(folder, 'conf.d', `${id}.conf`), descriptorOf(id, base, more)),
    withCatalog: async (work: (alternates: ReturnType<typeof makeAlternates>) => unknown) => {
      const alternates = makeAlternates(folder);
      await work(alternates);
      await alternates.end();
    },
  };
};

describe('sources list', () => {
  it('shows the sources in their order, and what is wrong with the others', async () => {
    const cli = makeCli();
    cli.describe('later', 'http://me:secret@acs/', { priority: 5 });
    cli.describe('first', ZOO, { priority: -1 });
    cli.describe('wrong', 'ftp://acs/');
    const { out, err } = await cli.run('list');
    expect(out.split('\n')).toEqual([
      `first\tyum\t-1\tfile://${ZOO}/\t0\t-\tstale\twell\t-\t-`,
      'later\tyum\t5\thttp://***@acs/\t0\t-\tstale\twell\t-\t-',
      '',
    ]);
    expect(err).toContain('wrong.conf:4: [wrong] base_url: expected');
  });

  it('is JSON where that is asked for, with what was refreshed', async () => {
    const cli = makeCli();
    expect((await cli.run('list', '--json')).out).toBe('[]\n');
    cli.describe('zoo', ZOO);
    await cli.run('refresh');
    const [zoo] = JSON.parse((await cli.run('list', '--json')).out);
    expect(zoo).toEqual({
      id: 'zoo',
      type: 'yum',
      priority: 0,
      base: `file://${ZOO}/`,
      offers: 5,
      expires: expect.stringMatching(/^\d{4}-.*Z$/),
      state: 'fresh',
      health: 'well',
      failed: [],
    });
  });
});

describe('sources, of a repository with hostile texts', () => {
  it('show them on one line, and without what moves the cursor of a terminal', async () => {
    const cli = makeCli();
    const evil = newFolder();
    mkdirSync(join(evil, 'repodata'));
    // XML cannot have other control characters.
    writeFileSync(
      join(evil, 'repodata/repomd.xml'),
      `<repomd><data type="a\u009b[2J\u009b]0;b\u0085"><location href="x"/><checksum type="md5">${'0'.repeat(32)}</checksum></data></repomd>`,
    );
    cli.describe('evil', evil);
    const { err } = await cli.run('refresh');
    const { out } = await cli.run('list');
    for (const text of [err, out]) {
      expect(text).toContain('a\ufffd[2J');
      expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
      expect(text.match(/\n/g)).toHaveLength(1);
    }
  });
});

describe('sources list, of a source that cools down', () => {
  it('shows until when, and why', async () => {
    const lastError = { code: 'STALLED', message: 'http://me:secret@acs/x sent nothing' };
    const unhealthy = [{ source: 'alternate:zoo', state: 'cooling', failures: 1, until: 0, lastError }];
    const cli = makeCli({ unhealthy });
    cli.describe('zoo', ZOO);
    const { out } = await cli.run('list');
    expect(out).toContain('\tcooling until 1970-01-01T00:00:00.000Z: http://***@acs/x sent nothing\t-\t-\n');
  });
});

describe('sources refresh', () => {
  it('refreshes one, or all, and prints the number of units', async () => {
    const cli = makeCli();
    cli.describe('a', ZOO);
    cli.describe('b', ZOO);
    expect((await cli.run('refresh', 'b')).out).toMatch(/^b: 5 units until \d{4}-.*Z\n$/);
    expect((await cli.run('refresh')).out).toMatch(/^a: 5 units until .*\nb: 5 units until .*\n$/);
  });

  it('continues with the others if one fails, and fails at the end', async () => {
    const cli = makeCli();
    cli.describe('a', newFolder());
    cli.describe('b', ZOO);
    const { out, err, error } = await cli.run('refresh');
    expect(out).toMatch(/^b: 5 units/);
    expect(err).toMatch(/^error: a: .*repomd\.xml.*no such file/);
    expect(error).toMatchObject({ message: '1 of 2 sources could not be refreshed completely' });
  });

  it('lists the sources if a name is unknown', async () => {
    const cli = makeCli();
    cli.describe('zoo', ZOO);
    expect((await cli.run('refresh', 'z00')).error).toMatchObject({
      message: 'unknown source z00, expected one of zoo',
    });
  });

  it('reports that another process refreshes', async () => {
    const cli = makeCli();
    cli.describe('zoo', ZOO);
    await cli.withCatalog(({ catalog }) => catalog.refreshes.acquire('zoo', 'another', 0, Date.now() / 1000 + 30));
    const { err, error } = await cli.run('refresh');
    expect(err).toBe('error: zoo: another process is refreshing it\n');
    expect(error).toBeInstanceOf(Error);
  });

  it('draws a progress bar on a terminal', async () => {
    const cli = makeCli({ terminal: true });
    cli.describe('zoo', ZOO);
    const { err } = await cli.run('refresh');
    expect(err).toContain('entries  repomd.xml');
    expect(err.endsWith('\r\x1b[K')).toBe(true);
  });
});

describe('a source of which one path is dead', () => {
  it('is named by refresh and list, with the path and the reason, and offers what the others have', async () => {
    const cli = makeCli();
    const folder = newFolder();
    makeFilesRepository(join(folder, 'good'), { 'a.iso': 'a', 'b.iso': 'b' });
    cli.describe('files', folder, { type: 'files', paths: 'dead good' });
    const { out, err, error } = await cli.run('refresh');
    expect(out).toMatch(/^files: 2 units until \d{4}-.*Z\n$/);
    expect(err).toMatch(/^error: files: dead\/: .*PULP_MANIFEST: no such file\n$/);
    expect(error).toMatchObject({ message: '1 of 1 sources could not be refreshed completely' });

    const listed = await cli.run('list');
    expect(listed.out).toMatch(/^files\tfiles\t0\t.*\t2\t\d{4}-.*Z\tstale\twell\tdead\/: .*PULP_MANIFEST.*\n$/);
    const [{ failed }] = JSON.parse((await cli.run('list', '--json')).out);
    expect(failed).toEqual([{ path: 'dead/', error: expect.stringContaining('PULP_MANIFEST') }]);

    makeFilesRepository(join(folder, 'dead'), { 'c.iso': 'c' });
    expect((await cli.run('refresh')).out).toMatch(/^files: 3 units/);
    expect((await cli.run('list')).out).toMatch(/\t3\t.*\tfresh\twell\t-\t-\n$/);
  });
});

describe('sources explain', () => {
  const zooTwice = async () => {
    const cli = makeCli();
    cli.describe('second', ZOO, { priority: 1 });
    cli.describe('first', ZOO);
    cli.describe('gone', ZOO);
    await cli.run('refresh');
    rmSync(join(cli.folder, 'conf.d/gone.conf'));
    return cli;
  };

  it('shows the offers of a unit, by fields of its key, in the order of the attempts', async () => {
    const cli = await zooTwice();
    const { out } = await cli.run('explain', 'rpm:name=bear,version=4.1');
    const [unit, one, two, gone, end] = out.split('\n');
    expect(unit).toMatch(/^rpm \{.*"name":"bear".*\}$/);
    expect(one).toContain(' 1. first  file://');
    expect(two).toContain(' 2. second  file://');
    expect(gone).toContain('not tried: its source is not described');
    expect(end).toBe('');
  });

  it('explains why others are not tried', async () => {
    const cli = await zooTwice();
    await cli.withCatalog(({ catalog }) => {
      const [offer] = catalog.refreshes.search('rpm', { name: 'bear' });
      if (!offer) throw new Error('no offer');
      catalog.content.add([
        { ...offer, sourceId: 'first', expiration: 1 },
        { ...offer, sourceId: 'second', url: 'http://elsewhere/x' },
      ]);
    });
    const [unit] = JSON.parse((await cli.run('explain', 'rpm:name=bear', '--json')).out);
    const reasons = unit.offers.map(({ source, passedOver }: Record<string, string>) => `${source} ${passedOver}`);
    expect(reasons.sort()).toEqual([
      'first expired',
      'first undefined',
      'gone its source is not described, not enabled or has a mistake',
      'second its source has a newer one',
      'second lies outside its source’s base_url',
    ]);
  });

  it('takes a path of the catalog', async () => {
    const cli = await zooTwice();
    await cli.withCatalog(({ catalog }) => importFolder(catalog, yum, ZOO, '/zoo'));
    const { out } = await cli.run('explain', '/zoo/Packages/owl-0.6-1.noarch.rpm');
    expect(out).toContain(' 1. first  file://');
    expect((await cli.run('explain', '/zoo/nothing')).error).toMatchObject({ code: 'NOT_IN_CATALOG' });
  });

  it.each(['rpm', 'rpm:', 'rpm:bear', ':name=bear'])('states the expected form of %s', async (unit) => {
    const { error } = await makeCli().run('explain', unit);
    expect(error).toMatchObject({
      message: expect.stringContaining(`'${unit}' is not a unit, expected a path or TYPE:FIELD`),
    });
  });

  it('reports that no source offers it', async () => {
    const cli = await zooTwice();
    expect((await cli.run('explain', 'rpm:name=unicorn')).error).toMatchObject({
      code: 'NO_CANDIDATE',
      message: 'no alternate source offers rpm:name=unicorn',
    });
  });
});
