import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BehaviorSubject, firstValueFrom, tap } from 'rxjs';
import type { Location } from '../../../../pipelines/model/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { signatureOf } from '../../../../src/lib/file-signature.ts';
import { createDisk } from '../../../../src/sources/disk/open.ts';
import { sourceContract } from '../../../contracts/source.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { until } from '../../../support/until.ts';

const newFolder = temporaryFolders();

/** The files of a folder that this process has open. */
const openIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path.slice(folder.length + 1)] : [];
    } catch {
      return []; // The descriptor that readdir itself had open.
    }
  });

const disks: { close(): void }[] = [];
afterEach(() => {
  for (const disk of disks.splice(0)) disk.close();
});

const aDisk = () => {
  const folder = newFolder();
  const disk = createDisk();
  disks.push(disk);
  const path = join(folder, 'a');
  writeFileSync(path, 'first');
  const read = async (location: Location = at(path, { root: folder })) =>
    (await collect(disk.open(location, anAsk()))).body.toString();
  return { ...disk, folder, path, read, failure: () => failureOf(disk.open(at(path, { root: folder }), anAsk())) };
};

sourceContract('a disk whose small files stay open', async () => {
  // For all tests of the contract.
  const folder = mkdtempSync(join(tmpdir(), 'descriptors-test-'));
  const { open, close } = createDisk();
  return {
    open,
    offer: async (name, content) => {
      writeFileSync(join(folder, name), content);
      return at(join(folder, name), { root: folder });
    },
    missing: () => at(join(folder, 'missing'), { root: folder }),
    freed: async () => {
      close();
      await until(() => openIn(folder).length === 0);
    },
    close: async () => {
      close();
      rmSync(folder, { recursive: true });
    },
  };
});

describe('a small file', () => {
  it('stays open, once for all requests, until the disk is closed', async () => {
    const { close, folder, read } = aDisk();
    expect(await Promise.all([read(), read(), read()])).toEqual(['first', 'first', 'first']);
    expect(await read()).toBe('first');
    await until(() => openIn(folder).length === 1);
    close();
    await until(() => openIn(folder).length === 0);
  });

  it.each([
    [
      'replaced by a rename',
      ({ folder, path }: { folder: string; path: string }) => {
        writeFileSync(join(folder, 'b'), 'other');
        renameSync(join(folder, 'b'), path);
      },
    ],
    [
      'deleted and made again',
      ({ path }: { path: string }) => {
        unlinkSync(path);
        writeFileSync(path, 'other');
      },
    ],
    [
      'written anew, with its time set back',
      ({ path }: { path: string }) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(path, 'other');
        utimesSync(path, atime, mtime);
      },
    ],
    [
      'replaced by a link',
      ({ folder, path }: { folder: string; path: string }) => {
        writeFileSync(join(folder, 'b'), 'other');
        unlinkSync(path);
        symlinkSync('b', path);
      },
    ],
  ])('is read again if it was %s', async (_, change) => {
    const disk = aDisk();
    await disk.read();
    change(disk);
    expect(await disk.read()).toBe('other');
    await until(() => openIn(disk.folder).length === 1);
  });

  it('is missing once it is deleted, and is not held open', async () => {
    const { folder, path, read, failure } = aDisk();
    await read();
    unlinkSync(path);
    expect(await failure()).toMatchObject({ code: 'SOURCE_MISSING' });
    await until(() => openIn(folder).length === 0);
  });

  it('is refused once its name leads out of its root', async () => {
    const { folder, path, read, failure } = aDisk();
    await read();
    const outside = join(newFolder(), 'secret');
    writeFileSync(outside, 'secret');
    unlinkSync(path);
    symlinkSync(outside, path);
    expect(await failure()).toMatchObject({ code: 'OUTSIDE_ROOT' });
    expect(openIn(folder)).toEqual([]);
  });

  it('counts once for each root: what one allows, another may not', async () => {
    const { folder, path, read, open } = aDisk();
    await read(at(path));
    const other = join(folder, 'other');
    mkdirSync(other);
    expect(await failureOf(open(at(path, { root: other }), anAsk()))).toMatchObject({ code: 'OUTSIDE_ROOT' });
  });

  it('is not looked up again if its version is known, and opened anew for another version', async () => {
    const { folder, path, read } = aDisk();
    const first = at(path, { root: folder, version: signatureOf(statSync(path, { bigint: true })) });
    expect(await read(first)).toBe('first');
    writeFileSync(join(folder, 'b'), 'other');
    renameSync(join(folder, 'b'), path);
    expect(await read(first)).toBe('first');
    expect(await read({ ...first, version: signatureOf(statSync(path, { bigint: true })) })).toBe('other');
  });

  it('is read to its end if it is replaced meanwhile, and closed then', async () => {
    const { folder, path, open, read } = aDisk();
    await read();
    const valve = new BehaviorSubject(false);
    const events = open(at(path, { root: folder }), anAsk())(valve);
    const slow = collect(
      events.pipe(
        tap((event) => {
          if (event.type !== 'head') return;
          writeFileSync(join(folder, 'b'), 'other');
          renameSync(join(folder, 'b'), path);
          void read().then((body) => {
            expect(body).toBe('other');
            valve.next(true);
          });
        }),
      ),
    );
    expect((await slow).body.toString()).toBe('first');
    await until(() => openIn(folder).length === 1);
  });
});

describe('the files that stay open', () => {
  it('are the last ones, at most 256', async () => {
    const { folder, read } = aDisk();
    for (let number = 0; number < 300; number += 1) {
      writeFileSync(join(folder, String(number)), String(number));
      await read(at(join(folder, String(number)), { root: folder }));
    }
    await until(() => openIn(folder).length === 256);
    expect(openIn(folder)).toContain('299');
    expect(openIn(folder)).not.toContain('0');
    expect(await read(at(join(folder, '0'), { root: folder }))).toBe('0');
  });

  it('are closed if they are not used for 10 to 20 seconds', async () => {
    jest.useFakeTimers({ now: 1_000_000, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const { folder, path, read } = aDisk();
      await read();
      jest.advanceTimersByTime(9_000);
      await read();
      writeFileSync(join(folder, 'b'), 'b');
      await read(at(join(folder, 'b'), { root: folder }));
      jest.advanceTimersByTime(5_000);
      await read(at(path, { root: folder }));
      jest.advanceTimersByTime(7_000);
      jest.useRealTimers();
      await until(() => openIn(folder).join() === 'a');
    } finally {
      jest.useRealTimers();
    }
  });

  it('are no large ones', async () => {
    const { folder, path, read } = aDisk();
    writeFileSync(path, Buffer.alloc(65_537));
    expect(await read()).toHaveLength(65_537);
    await until(() => openIn(folder).length === 0);
  });

  it('are none that failed', async () => {
    const { folder, open } = aDisk();
    await expect(firstValueFrom(open(at(folder, { root: folder }), anAsk())(OPEN))).rejects.toMatchObject({
      source: 'disk',
    });
    expect(openIn(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
