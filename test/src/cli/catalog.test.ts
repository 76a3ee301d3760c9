import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { writeAll } from '../../../src/cli/catalog-context.ts';
import { importProgress } from '../../../src/cli/import-progress.ts';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { sha256 } from '../../support/importing.ts';
import {
  builtFiles,
  itNeeding,
  makeFilesRepository,
  makeYumRepository,
  YUM_TOOLS,
} from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const makeCli = (options?: { terminal?: boolean }) => makeCatalogCli(newFolder(), options);

const D = sha256('x');

describe('catalog add, list, show and remove', () => {
  it('keep what was added', async () => {
    const { run } = makeCli();
    await run('catalog', 'add', '/p/a', 'https://h/a', '--checksum', `sha256:${D}`, '--size', '5');
    await run('catalog', 'add', '/p/b', 'file:///srv/b');
    expect((await run('catalog', 'list')).out).toBe('/p/a\t5\thttps://h/a\n/p/b\t-\tfile:///srv/b\n');
    expect((await run('catalog', 'list', '/p/a')).out).toBe('');
    expect(JSON.parse((await run('catalog', 'list', '/p/', '--json')).out)).toMatchObject([
      { path: '/p/a', url: 'https://h/a', checksum: D, checksum_algorithm: 'sha256', size: 5, revision: 1 },
      { path: '/p/b', url: 'file:///srv/b' },
    ]);
    expect(JSON.parse((await run('catalog', 'list', '/none', '--json')).out)).toEqual([]);
    expect((await run('catalog', 'show', '/p/a')).out).toContain(`\nchecksum: ${D}\n`);
    expect(JSON.parse((await run('catalog', 'show', '/p/a', '--json')).out)).toMatchObject([
      { path: '/p/a', unit_key: { name: 'a', checksum: D, size: 5 } },
    ]);
    expect((await run('catalog', 'remove', '/p/a')).out).toBe('removed /p/a\n');
    expect((await run('catalog', 'list')).out).toBe('/p/b\t-\tfile:///srv/b\n');
  });

  it('put a new entry in place of the earlier one', async () => {
    const { run } = makeCli();
    await run('catalog', 'add', '/p', 'https://h/1');
    await run('catalog', 'add', '/p', 'https://h/2');
    expect(JSON.parse((await run('catalog', 'show', '/p', '--json')).out)).toMatchObject([
      { url: 'https://h/2', revision: 2 },
    ]);
  });

  it('remove what is below a prefix, and nothing that only begins alike', async () => {
    const { run } = makeCli();
    for (const path of ['/p/a', '/p/b/c', '/pp/d', '/p']) await run('catalog', 'add', path, 'https://h/');
    expect((await run('catalog', 'remove', '--prefix', '/p')).out).toBe('removed 2 entries below /p\n');
    expect((await run('catalog', 'list')).out).toBe('/p\t-\thttps://h/\n/pp/d\t-\thttps://h/\n');
  });

  for (const [args, message] of [
    [['add', 'p', 'https://h/'], "'p' is invalid for argument 'path'. expected a path that begins with /"],
    [['add', '/p', 'h/p'], "'h/p' is invalid for argument 'url'. expected a URL of http, https or file"],
    [
      ['add', '/p', 'https://h/', '--checksum', 'sha256:ab'],
      "'ab' is not a valid sha256 checksum, expected 64 hexadecimal digits",
    ],
    [['add', '/p', 'https://h/', '--checksum', 'ab'], "'ab' is not a checksum, expected ALGORITHM:DIGITS"],
    [['add', '/p', 'https://h/', '--size', '-1'], 'expected a whole number'],
    [['add', '/p', 'https://h/', '--importer', 'x'], 'importer x is not in the catalog'],
    [['show', '/p'], '/p is not in the catalog'],
    [['remove', '/p'], '/p is not in the catalog'],
    [['remove'], 'give either a path or --prefix'],
    [['remove', '/p', '--prefix', '/p'], 'give either a path or --prefix'],
    [['remove', '--prefix', 'p'], "argument 'p' is invalid. expected a path that begins with /"],
    [['load', '/nowhere.jsonl'], 'no such file'],
    [
      ['import', 'rpm', '/', '--prefix', '/p'],
      "'rpm' is invalid for argument 'format'. Allowed choices are yum, deb, files.",
    ],
    [['import', 'yum', '/'], "required option '--prefix <path>' not specified"],
  ] as const) {
    it(`refuse: catalog ${args.join(' ')}`, async () => {
      await expect(makeCli().run('catalog', ...args)).rejects.toThrow(message);
    });
  }
});

describe('catalog load and export', () => {
  it('go round, also where the output is longer than its buffer', async () => {
    const { run, write } = makeCli();
    const importer = (await run('importers', 'add')).out.trim();
    const text = Array.from(
      { length: 5000 },
      (_, number) =>
        `${JSON.stringify({ path: `/p/${number}`, importer_id: importer, unit_id: `u${number}`, unit_type_id: 'rpm', url: `https://h/${number}`, revision: 1, data: {} })}\n`,
    ).join('');
    expect((await run('catalog', 'load', write('in.jsonl', text))).out).toBe('loaded 5000 entries\n');
    expect((await run('catalog', 'export')).out).toBe(text);
  });

  const line = (importer: string, fields: object) =>
    JSON.stringify({
      path: '/a',
      importer_id: importer,
      unit_id: 'u',
      unit_type_id: 'rpm',
      url: 'https://h/a',
      revision: 1,
      ...fields,
    });

  it('mask the secrets of URLs, unless they are asked for', async () => {
    const { run, write } = makeCli();
    const importer = (await run('importers', 'add')).out.trim();
    const entry = line(importer, {
      url: 'https://u:hunter2@h/a?token=hunter3',
      data: { from: 'https://u:hunter4@h/' },
    });
    await run('catalog', 'load', write('in.jsonl', entry));
    const { out, err } = await run('catalog', 'export');
    expect(out).toContain('"url":"https://***@h/a?***"');
    expect(out).not.toContain('hunter');
    expect(err).toBe('warning: secrets in 1 URLs are masked; --secrets prints them\n');
    const whole = await run('catalog', 'export', '--secrets');
    expect(JSON.parse(whole.out)).toEqual(JSON.parse(entry));
    expect(whole.err).toBe('');
    await expect(run('catalog', 'load', write('masked.jsonl', out))).rejects.toThrow('its secrets are masked');
  });

  it.each(['/\u001b[2J', '/a\nb', '/\u009b1m', '/\u007f'])('refuse control characters in paths: %j', async (path) => {
    const { run, write } = makeCli();
    const importer = (await run('importers', 'add')).out.trim();
    const refused = run('catalog', 'load', write('in.jsonl', line(importer, { path })));
    await expect(refused).rejects.toThrow('line 1: path: expected no control characters');
    await expect(run('catalog', 'add', path, 'http://h/a')).rejects.toThrow('without control characters');
    await expect(run('catalog', 'import', 'files', newFolder(), '--prefix', path)).rejects.toThrow('without control');
  });
});

describe('output', () => {
  const failing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  const texts = () => Array.from({ length: 100_000 }, () => 'line\n');

  it('may be cut short by its reader', async () => {
    await expect(writeAll(failing('EPIPE'), texts())).resolves.toBeUndefined();
  });

  it('that fails otherwise is reported', async () => {
    await expect(writeAll(failing('ENOSPC'), texts())).rejects.toThrow('ENOSPC');
  });
});

describe('catalog import', () => {
  itNeeding(YUM_TOOLS)('reads a repository over HTTP', async () => {
    const folder = newFolder();
    const built = makeYumRepository(folder, [{ name: 'bear++', version: '4.1', size: 100 }]);
    const server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(folder, decodeURIComponent(request.url ?? '').replace('/repo/', ''))));
      } catch {
        response.writeHead(404).end('<html>not here</html>');
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo`;
    try {
      const { run, configs } = makeCli();
      const { out, err } = await run('catalog', 'import', 'yum', base, '--prefix', '/yum', '--no-verify');
      expect(out).toBe(`/yum: 1 package and ${built.length - 1} metadata files, revision 1\n`);
      expect(err).toBe('');
      expect(configs).toEqual([{ ssl_validation: false }]);
      expect((await run('catalog', 'list', '/')).out).toContain(`/yum/bear++-4.1-1.noarch.rpm\t`);
      expect((await run('catalog', 'list', '/')).out).toContain(`\t${base}/bear%2B%2B-4.1-1.noarch.rpm\n`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('reads a folder, reuses the importer with equal settings, and reports what it replaced', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const { run } = makeCli();
    const first = JSON.parse((await run('catalog', 'import', 'files', folder, '--prefix', '/f', '--json')).out);
    makeFilesRepository(folder, { 'a.iso': 'AA' });
    const { out } = await run('catalog', 'import', 'files', folder, '--prefix', '/f');
    expect(out).toBe('/f: 1 package and 1 metadata file, revision 2, in place of 2 earlier entries\n');
    expect(JSON.parse((await run('importers', 'list', '--json')).out)).toEqual([
      { id: first.importer, config: {}, entries: 2 },
    ]);
    const other = await run('catalog', 'import', 'files', folder, '--prefix', '/f', '--no-verify');
    expect(other.err).toBe(`warning: below /f are also entries of importer ${first.importer}\n`);
    await run('catalog', 'remove', '--prefix', '/f', '--importer', first.importer);
    expect(builtFiles(folder)).toHaveLength(2);
    expect((await run('catalog', 'list', '/')).out.split('\n')).toHaveLength(3);
  });

  it('that fails leaves no importer behind', async () => {
    const { run } = makeCli();
    const folder = newFolder();
    await expect(run('catalog', 'import', 'yum', folder, '--prefix', '/f', '--no-verify')).rejects.toThrow(
      `${folder}/repodata/repomd.xml: no such file`,
    );
    await expect(run('catalog', 'import', 'yum', folder, '--prefix', 'f')).rejects.toThrow("argument 'f' is invalid");
    expect((await run('importers', 'list')).out).toBe('');
  });

  it('takes the credentials of an importer, or its own, but not both', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const { run } = makeCli();
    const id = (await run('importers', 'add', '--username', 'u', '--password', 'p')).out.trim();
    const args = ['catalog', 'import', 'files', folder, '--prefix', '/f', '--importer'];
    await run(...args, id);
    expect(JSON.parse((await run('catalog', 'show', '/f/a.iso', '--json')).out)).toMatchObject([{ importer_id: id }]);
    await expect(run(...args, id, '--no-verify')).rejects.toThrow('give either --importer or credentials');
    await expect(run(...args, 'nobody')).rejects.toThrow('importer nobody is not in the catalog');
  });

  it('draws a bar on a terminal, without colours, and wipes it', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const { err } = await makeCli({ terminal: true }).run('catalog', 'import', 'files', folder, '--prefix', '/f');
    const [drawn, ...rest] = err.split('\r\x1b[K').slice(1);
    expect(drawn).toMatch(/^\d+ bytes {2}0 entries {2}PULP_MANIFEST$/);
    expect(rest.at(-1)).toBe('');
  });

  it('draws the progress of a file, if its size is known', () => {
    const output = Object.assign(new PassThrough(), { isTTY: true });
    importProgress(output).show({ file: 'repodata/primary.xml.gz', bytes: 50, size: 100, items: 3 });
    expect(output.read().toString()).toBe('\r\x1b[K[############............] 50 %  3 entries  primary.xml.gz');
  });
});

it('catalog vacuum gives space back while others read', async () => {
  const folder = newFolder();
  const { run } = makeCatalogCli(folder);
  await run('catalog', 'add', '/p/a', 'https://h/a');
  const file = join(folder, 'catalog.db');
  const reader = new DatabaseSync(file);
  reader.exec('CREATE TABLE filler (a); INSERT INTO filler VALUES (zeroblob(8000000)); DELETE FROM filler');
  reader.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const { before, after, ...rest } = JSON.parse((await run('catalog', 'vacuum', '--json')).out);
  expect([rest, before > 8_000_000, after < 1_000_000]).toEqual([{ file }, true, true]);
  expect(reader.prepare('SELECT count(*) AS n FROM lazy_content_catalog').get()?.n).toBe(1);
  reader.close();
  expect((await run('catalog', 'vacuum')).out).toBe(`${file}: ${after} bytes before, ${after} bytes now\n`);
});
