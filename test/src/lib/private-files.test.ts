import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inheritFile, makeFileSync, makeFolder, makeFolderSync, replaceFile } from '../../../src/lib/private-files.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { itAsRoot, makeNobodysFolder, NOBODY } from '../../support/nobody.ts';

const folder = temporaryFolders();
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const ownerOf = (path: string) => {
  const { uid, gid } = statSync(path);
  return { uid, gid };
};

// The widest umask: files that are private nevertheless are made so by the code.
let umask = 0;
beforeAll(() => {
  umask = process.umask(0);
});
afterAll(() => {
  process.umask(umask);
});

const FOLDERS: [string, (path: string) => string | undefined | Promise<string | undefined>][] = [
  ['makeFolderSync', makeFolderSync],
  ['makeFolder', makeFolder],
];

describe.each(FOLDERS)('%s', (_, make) => {
  it('makes all missing folders, for their owner alone, and returns the topmost', async () => {
    const home = folder();
    expect(await make(join(home, 'a', 'b', 'c'))).toBe(join(home, 'a'));
    expect(['a', 'a/b', 'a/b/c'].map((name) => modeOf(join(home, name)))).toEqual(['700', '700', '700']);
  });

  it('leaves one that is there as it is', async () => {
    const home = folder();
    chmodSync(home, 0o755);
    expect(await make(home)).toBeUndefined();
    expect(modeOf(home)).toBe('755');
  });

  itAsRoot('gives what root makes to the owner of the folder above, and nothing else', async () => {
    const home = folder();
    const state = makeNobodysFolder(home, join(home, 'state'));
    await make(join(state, 'a', 'b'));
    await make(join(home, 'mine', 'b'));
    const paths = [join(state, 'a'), join(state, 'a', 'b'), join(home, 'mine'), join(home, 'mine', 'b')];
    expect(paths.map(ownerOf)).toEqual([NOBODY, NOBODY, ownerOf(home), ownerOf(home)]);
  });
});

describe('makeFileSync', () => {
  it('makes an empty file for its owner alone', () => {
    const file = join(folder(), 'file');
    makeFileSync(file);
    expect(readFileSync(file, 'utf8')).toBe('');
    expect(modeOf(file)).toBe('600');
  });

  it('leaves one that is there as it is', () => {
    const file = join(folder(), 'file');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    makeFileSync(file);
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(modeOf(file)).toBe('644');
  });

  it('makes what a symbolic link names', () => {
    const home = folder();
    symlinkSync('there', join(home, 'link'));
    makeFileSync(join(home, 'link'));
    expect(modeOf(join(home, 'there'))).toBe('600');
  });

  itAsRoot('gives what root makes to the owner of the folder', () => {
    const home = folder();
    const state = makeNobodysFolder(home, join(home, 'state'));
    makeFileSync(join(state, 'file'));
    makeFileSync(join(home, 'file'));
    expect([join(state, 'file'), join(home, 'file')].map(ownerOf)).toEqual([NOBODY, ownerOf(home)]);
  });

  itAsRoot('makes nothing where another user has laid a link', () => {
    const home = folder();
    const state = makeNobodysFolder(home, join(home, 'state'));
    mkdirSync(join(home, 'etc'));
    symlinkSync('../etc/shadow', join(state, 'file'));
    expect(() => makeFileSync(join(state, 'file'))).toThrow(/EEXIST/);
    expect(readdirSync(join(home, 'etc'))).toEqual([]);
  });
});

describe('replaceFile', () => {
  it('puts a file for its owner alone in the place of a wider one', async () => {
    const home = folder();
    const file = join(home, 'file');
    for (const name of [file, `${file}.new`]) {
      writeFileSync(name, 'before, and longer');
      chmodSync(name, 0o644);
    }
    await replaceFile(file, 'text');
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(modeOf(file)).toBe('600');
    expect(readdirSync(home)).toEqual(['file']);
  });

  it('does not write through a link in its way', async () => {
    const home = folder();
    writeFileSync(join(home, 'other'), 'other');
    symlinkSync('other', join(home, 'file.new'));
    await replaceFile(join(home, 'file'), 'text');
    expect(readFileSync(join(home, 'other'), 'utf8')).toBe('other');
    expect(readFileSync(join(home, 'file'), 'utf8')).toBe('text');
  });

  itAsRoot('gives what root makes to the owner of the folder', async () => {
    const home = folder();
    const state = makeNobodysFolder(home, join(home, 'state'));
    await replaceFile(join(state, 'file'), 'text');
    expect(ownerOf(join(state, 'file'))).toEqual(NOBODY);
  });
});

describe('inheritFile', () => {
  itAsRoot('gives an open file to the owner of its folder', () => {
    const home = folder();
    const state = makeNobodysFolder(home, join(home, 'state'));
    const file = join(state, 'file');
    const fd = openSync(file, 'wx');
    inheritFile(fd, file);
    closeSync(fd);
    expect(ownerOf(file)).toEqual(NOBODY);
  });

  itAsRoot('leaves a file of root’s own folder to root, whatever its group', () => {
    const home = folder();
    chownSync(home, 0, NOBODY.gid);
    const file = join(home, 'file');
    const fd = openSync(file, 'wx');
    inheritFile(fd, file);
    closeSync(fd);
    expect(ownerOf(file)).toEqual({ uid: 0, gid: process.getegid?.() });
  });
});
