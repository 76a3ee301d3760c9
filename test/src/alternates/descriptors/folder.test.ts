import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom, map } from 'rxjs';
import { type DescriptorsFolder, openDescriptors } from '../../../../src/alternates/descriptors/folder.ts';
import { DESCRIPTOR } from '../../../../src/config/dialects.ts';
import { parseIni } from '../../../../src/config/ini.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const section = (id: string, more = '') => `[${id}]\nenabled: 1\ntype: yum\nbase_url: http://acs/${id}\n${more}\n`;

const opened: DescriptorsFolder[] = [];
afterEach(() => {
  for (const folder of opened.splice(0)) folder.close();
});
const open = (folder: string): DescriptorsFolder => {
  const parse = (content: string, file: string) => parseIni(content, file, DESCRIPTOR);
  const made = openDescriptors({ folder, parse, types: ['yum'], settle: 20 });
  opened.push(made);
  return made;
};

const idsOf = ({ descriptors }: DescriptorsFolder) =>
  descriptors.pipe(map(({ sources }) => sources.map(({ id }) => id).join(' ')));
const now = (folder: DescriptorsFolder) => firstValueFrom(idsOf(folder));
const once = (folder: DescriptorsFolder, ids: string) =>
  firstValueFrom(idsOf(folder).pipe(filter((found) => found === ids)));

describe('a folder of descriptors', () => {
  it('holds the sections of all its *.conf files, despite corrupt ones', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'b.conf'), section('two') + section('three'));
    writeFileSync(join(folder, 'a.conf'), section('one'));
    writeFileSync(join(folder, 'c.conf'), 'rubbish');
    writeFileSync(join(folder, 'd.conf.rpmsave'), section('four'));
    mkdirSync(join(folder, 'e.conf'));
    const opened = open(folder);
    expect(await now(opened)).toBe('one two three');
    const { problems } = await firstValueFrom(opened.descriptors);
    expect(problems).toEqual([
      expect.stringContaining(`${join(folder, 'c.conf')}:1: `),
      `${join(folder, 'e.conf')}: cannot be read (it is not a regular file); expected a readable file; the file is left out`,
    ]);
  });

  it('opens nothing but files, and none that is too large', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.conf'), section('one'));
    execFileSync('mkfifo', [join(folder, 'b.conf')]);
    writeFileSync(join(folder, 'c.conf'), '#'.repeat(2 ** 20 + 1));
    writeFileSync(join(folder, 'd.conf'), section('two', `ssl_ca_cert: ${join(folder, 'b.conf')}`));
    const opened = open(folder);
    expect(await now(opened)).toBe('one');
    const { problems } = await firstValueFrom(opened.descriptors);
    expect(problems).toEqual([
      expect.stringContaining('b.conf: cannot be read (it is not a regular file)'),
      expect.stringContaining('c.conf: cannot be read (it is larger than 1048576 bytes)'),
      expect.stringContaining('ssl_ca_cert: '),
    ]);
    expect(problems[2]).toContain('cannot be read (it is not a regular file); expected a PEM file');
  });

  it('is read again when files are added, changed, replaced and removed', async () => {
    const folder = newFolder();
    const opened = open(folder);
    expect(await now(opened)).toBe('');
    writeFileSync(join(folder, 'a.conf'), section('one'));
    await once(opened, 'one');
    writeFileSync(join(folder, 'a.conf'), section('one') + section('two'));
    await once(opened, 'one two');
    writeFileSync(join(folder, '.new'), section('three'));
    renameSync(join(folder, '.new'), join(folder, 'a.conf'));
    await once(opened, 'three');
    rmSync(join(folder, 'a.conf'));
    await once(opened, '');
  });

  it('keeps the value of an unchanged source', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'a.conf'), section('one') + section('two'));
    const opened = open(folder);
    const before = await firstValueFrom(opened.descriptors);
    writeFileSync(join(folder, 'a.conf'), section('one') + section('two', 'priority: 5'));
    const after = await firstValueFrom(opened.descriptors.pipe(filter(({ sources }) => sources[1]?.priority === 5)));
    expect(after.sources[0]).toBe(before.sources[0]);
    expect(after.sources[1]).not.toBe(before.sources[1]);
  });

  it('is reloaded at once on request, with certificates that changed elsewhere', async () => {
    const folder = newFolder();
    const ca = join(newFolder(), 'ca.pem');
    const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
    writeFileSync(ca, pem('old'));
    writeFileSync(join(folder, 'a.conf'), section('one', `ssl_ca_cert: ${ca}`));
    const opened = open(folder);
    writeFileSync(ca, pem('new'));
    opened.reload();
    const { sources } = await firstValueFrom(opened.descriptors);
    expect(sources[0]?.access.ca).toBe(pem('new'));
  });

  it('may be created later: reload finds and watches it', async () => {
    const folder = join(newFolder(), 'conf.d');
    const opened = open(folder);
    expect(await firstValueFrom(opened.descriptors)).toEqual({ sources: [], problems: [] });
    mkdirSync(folder);
    opened.reload();
    writeFileSync(join(folder, 'a.conf'), section('one'));
    await once(opened, 'one');
  });

  it('is reported if it is not a folder', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const { problems } = await firstValueFrom(open(file).descriptors);
    expect(problems).toContain(`${file}: cannot be read (ENOTDIR); expected a readable file; the file is left out`);
  });

  it('completes when closed', async () => {
    const opened = open(newFolder());
    const done = new Promise<void>((resolve) => opened.descriptors.subscribe({ complete: resolve }));
    opened.close();
    await done;
  });
});
