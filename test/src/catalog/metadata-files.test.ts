import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, toArray } from 'rxjs';
import { StreamError } from '../../../pipelines/index.ts';
import { dropWrong, keptMetadata } from '../../../src/catalog/kept-metadata.ts';
import { fillingFolder, metadataFiles } from '../../../src/catalog/metadata-files.ts';
import type { ReadFile } from '../../../src/repositories/format.ts';
import { sha256 } from '../../support/importing.ts';
import { anEntry } from '../../support/pipeline.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

/** Reads texts by URL; a URL ending in `!` breaks off. */
const read: ReadFile = async function* (url) {
  yield Buffer.from(url.slice(0, 2));
  if (url.endsWith('!')) throw new Error('broken off');
  yield Buffer.from(url.slice(2));
};

let kept: ReadFile;
const readAll = async (...asked: Parameters<ReadFile>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of kept(...asked)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const make = (most?: number) => {
  const folder = join(newFolder(), 'metadata');
  const files = metadataFiles(folder, { most });
  kept = files.keeping(read);
  return { folder, files };
};
const checksum = (text: string) => ({ algorithm: 'sha256', value: sha256(text) }) as const;
const find = (folder: string, text: string, unitTypeId = 'metadata') =>
  firstValueFrom(keptMetadata(folder)(anEntry({ unitTypeId, checksum: checksum(text) })).pipe(toArray()));

describe('files of metadata', () => {
  it('are kept by their checksum once they were read to their end', async () => {
    const { folder, files } = make();
    expect(await readAll('hello')).toBe('hello');
    expect(await files.has(checksum('hello'))).toBe(true);
    expect(await find(folder, 'hello')).toMatchObject([
      { source: { kind: 'saved', id: 'metadata' }, root: folder, url: `file://${folder}/sha256-${sha256('hello')}` },
    ]);
    expect(await find(folder, 'hello', 'rpm')).toEqual([]);
    expect(await find(folder, 'other')).toEqual([]);
  });

  it('are read, and kept no longer, once those of one reading are as many bytes as a feed may fill', async () => {
    const { folder } = make(10);
    for (const name of ['hello', 'second', 'ok']) expect(await readAll(name)).toBe(name);
    expect(readdirSync(folder)).toEqual([`sha256-${sha256('hello')}`]);
  });

  it('are not swept, whatever their age, while somebody fills their folder', async () => {
    const { folder, files } = make();
    await readAll('hello');
    utimesSync(join(folder, `sha256-${sha256('hello')}`), 1, 1);
    const there = () => files.has(checksum('hello'));
    {
      using _filling = await fillingFolder(folder);
      await expect(fillingFolder(folder)).rejects.toThrow('another process brings metadata');
      await files.sweep(() => false);
      expect(await there()).toBe(true);
    }
    await files.sweep(() => false);
    expect(await there()).toBe(false);
  });

  it('are not kept if they were not read because they are unchanged', async () => {
    const { folder, files } = make();
    const state = { etag: '"a"' };
    const unread: ReadFile = async function* (_url, _expected, asked) {
      if (asked?.unless) asked.found(asked.unless);
      yield* [];
    };
    const found: unknown[] = [];
    for await (const _ of files.keeping(unread)('hello', {}, { unless: state, found: (now) => found.push(now) }));
    expect(found).toEqual([state]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are not kept if they break off, are left, or have another checksum', async () => {
    const { folder } = make();
    await expect(readAll('hello!')).rejects.toThrow('broken off');
    for await (const _ of kept('hello')) break;
    await readAll('hello', { checksum: checksum('other') });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are removed if they turn out wrong', async () => {
    const { folder } = make();
    await readAll('hello');
    const [candidate] = await find(folder, 'hello');
    if (!candidate) throw new Error('not kept');
    const wrong = new StreamError('WRONG_CHECKSUM', 'disk', 'wrong');
    await dropWrong({ ...candidate, source: { kind: 'saved', id: '' } }, wrong);
    await dropWrong(candidate, new StreamError('UNREADABLE', 'disk', 'an error of the disk'));
    expect(await find(folder, 'hello')).toHaveLength(1);
    await dropWrong(candidate, wrong);
    expect(await find(folder, 'hello')).toEqual([]);
  });

  it('are read all the same where they cannot be kept', async () => {
    const folder = join(newFolder(), 'file');
    writeFileSync(folder, '');
    kept = metadataFiles(join(folder, 'metadata')).keeping(read);
    expect(await readAll('hello')).toBe('hello');
  });

  it('are removed an hour after they were read, unless they are needed; other files stay', async () => {
    const { folder, files } = make();
    await files.sweep(() => false);
    for (const text of ['needed', 'not needed', 'new']) await readAll(text);
    for (const name of ['rest.part', 'notes.txt']) writeFileSync(join(folder, name), '');
    const then = Date.now() / 1000 - 3_601;
    for (const name of readdirSync(folder))
      if (!name.endsWith(sha256('new'))) utimesSync(join(folder, name), then, then);
    await files.sweep(({ value }) => value === sha256('needed'));
    expect(readdirSync(folder).sort()).toEqual(
      ['notes.txt', `sha256-${sha256('needed')}`, `sha256-${sha256('new')}`].sort(),
    );
  });
});

it('says why a kept file cannot be looked for', async () => {
  const folder = join(newFolder(), 'file');
  mkdirSync(join(folder, '..'), { recursive: true });
  writeFileSync(folder, '');
  await expect(find(folder, 'hello')).rejects.toThrow('ENOTDIR');
});
