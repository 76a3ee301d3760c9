import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { narrowFile, narrowFolder } from '../../../src/lib/narrow.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { itAsRoot, makeNobodysFolder, NOBODY } from '../../support/nobody.ts';

const folder = temporaryFolders();
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

const makeFile = (path: string, mode: number): string => {
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
};
const makeFolder = (path: string, mode: number): string => {
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
};
const all = () => true;

describe('narrowFile', () => {
  it.each([
    [0o644, '0644', '0600'],
    [0o666, '0666', '0600'],
    [0o640, '0640', '0600'],
    [0o755, '0755', '0700'],
  ])('takes from a file of mode %o what others may', (mode, from, to) => {
    const path = makeFile(join(folder(), 'file'), mode);
    expect(narrowFile(path)).toEqual({ path, mode: from, narrowed: to });
    expect(modeOf(path)).toBe(String(Number(to)));
  });

  it('does nothing for a narrow or missing file', () => {
    const path = makeFile(join(folder(), 'file'), 0o600);
    expect(narrowFile(path)).toBeUndefined();
    expect(narrowFile(`${path}.none`)).toBeUndefined();
  });

  it('leaves the target of a symbolic link alone', () => {
    const home = folder();
    const target = makeFile(join(home, 'target'), 0o644);
    const path = join(home, 'link');
    symlinkSync('target', path);
    expect(narrowFile(path)).toEqual({ path, mode: '0644', kept: 'it is a symbolic link' });
    expect(modeOf(target)).toBe('644');
  });

  it('leaves a file of several names alone', () => {
    const home = folder();
    const path = makeFile(join(home, 'file'), 0o644);
    linkSync(path, join(home, 'other'));
    expect(narrowFile(path)).toEqual({ path, mode: '0644', kept: 'it has several names (hard links)' });
    expect(modeOf(path)).toBe('644');
  });

  it('leaves non-regular files unchanged', () => {
    const path = join(folder(), 'pipe');
    execFileSync('mkfifo', ['-m', '644', path]);
    expect(narrowFile(path)).toEqual({ path, mode: '0644', kept: 'it is not a regular file' });
    expect(modeOf(path)).toBe('644');
  });

  it('leaves a file alone that others may replace, but not one in a folder like /tmp', () => {
    const open = makeFolder(join(folder(), 'open'), 0o777);
    const sticky = makeFolder(join(folder(), 'sticky'), 0o1777);
    const [unsafe, safe] = [open, sticky].map((home) => makeFile(join(home, 'file'), 0o644)) as [string, string];
    expect(narrowFile(unsafe)).toEqual({ path: unsafe, mode: '0644', kept: 'other users may replace it' });
    expect(narrowFile(safe)).toMatchObject({ narrowed: '0600' });
    expect([unsafe, safe].map(modeOf)).toEqual(['644', '600']);
  });

  itAsRoot('leaves a file of another user alone, and one in another user’s folder', () => {
    const home = folder();
    const theirs = makeFile(join(home, 'theirs'), 0o644);
    chownSync(theirs, NOBODY.uid, NOBODY.gid);
    const state = makeNobodysFolder(home, join(home, 'state'));
    const ours = makeFile(join(state, 'ours'), 0o644);
    expect(narrowFile(theirs)).toEqual({ path: theirs, mode: '0644', kept: 'it belongs to user 65534' });
    expect(narrowFile(ours)).toEqual({ path: ours, mode: '0644', kept: 'other users may replace it' });
    expect([theirs, ours].map(modeOf)).toEqual(['644', '644']);
    chmodSync(theirs, 0o600);
    expect(narrowFile(theirs)).toBeUndefined();
  });

  itAsRoot('names a file that only another user can use', () => {
    const home = folder();
    chmodSync(home, 0o755);
    const path = makeFile(join(home, 'file'), 0o600);
    process.seteuid?.(NOBODY.uid);
    try {
      expect(narrowFile(path)).toEqual({ path, mode: '0600', kept: 'it belongs to user 0' });
    } finally {
      process.seteuid?.(0);
    }
  });

  itAsRoot('continues if it may not look', () => {
    const home = folder();
    chmodSync(home, 0o700);
    const path = makeFile(join(home, 'file'), 0o644);
    process.seteuid?.(NOBODY.uid);
    try {
      expect(narrowFile(path)).toMatchObject({ path, mode: 'unknown', kept: expect.stringMatching(/^EACCES/) });
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('narrowFolder', () => {
  it('takes from a folder what others may, and leaves its other bits', () => {
    const path = makeFolder(join(folder(), 'state'), 0o2775);
    makeFile(join(path, 'own'), 0o600);
    expect(narrowFolder(path, (name) => name === 'own')).toEqual({ path, mode: '2775', narrowed: '2700' });
    expect(modeOf(path)).toBe('2700');
  });

  it('leaves a folder alone that holds what is not the streamer’s', () => {
    const path = makeFolder(join(folder(), 'state'), 0o755);
    makeFile(join(path, 'other'), 0o600);
    expect(narrowFolder(path, (name) => name === 'own')).toEqual({
      path,
      mode: '0755',
      kept: 'it holds other files as well (other)',
    });
    expect(modeOf(path)).toBe('755');
  });

  it('leaves a shared folder, a link to one, and other files unchanged', () => {
    const home = folder();
    const sticky = makeFolder(join(home, 'sticky'), 0o1777);
    const target = makeFolder(join(home, 'target'), 0o755);
    symlinkSync('target', join(home, 'link'));
    const file = makeFile(join(home, 'file'), 0o644);
    expect([sticky, join(home, 'link'), file].map((path) => narrowFolder(path, all)?.kept)).toEqual([
      'it is shared (sticky bit)',
      'it is a symbolic link',
      'it is not a folder',
    ]);
    expect([sticky, target, file].map(modeOf)).toEqual(['1777', '755', '644']);
  });
});
