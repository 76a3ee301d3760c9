import { mkdirSync, readdirSync, readlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BehaviorSubject, tap } from 'rxjs';
import type { Chunk } from '../../../../pipelines/model/index.ts';
import { type Flow, OPEN } from '../../../../pipelines/operators/valve.ts';
import { isMine, lend, loanOf } from '../../../../src/lib/lent-buffers.ts';
import { openSpills, type Spills } from '../../../../src/saves/spill/spill.ts';
import { digestOf, someBytes } from '../../../support/collect.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { holdMany } from '../../../support/lender.ts';
import { until } from '../../../support/until.ts';

const newFolder = temporaryFolders();
const BLOCK = 64 * 1024;

describe('a spill', () => {
  const opened: Spills[] = [];
  afterEach(() => {
    for (const spills of opened.splice(0)) spills.close();
  });
  const make = (limit: number, folder = newFolder()) => {
    const errors: unknown[] = [];
    const spills = openSpills({ folder, limit, onError: (error) => errors.push(error) });
    opened.push(spills);
    const open = (from: number, rest?: number) => {
      const spill = spills.open(from, rest);
      spill?.retain();
      return spill;
    };
    return { open, errors, folder };
  };
  const chunk = (bytes: Uint8Array): Chunk => ({ type: 'chunk', bytes });
  const watch = (events: Flow<Chunk>) => {
    const seen = { bytes: Buffer.alloc(0), chunks: 0, over: false, error: undefined as unknown };
    events(OPEN).subscribe({
      next: ({ bytes }) => {
        seen.bytes = Buffer.concat([seen.bytes, bytes]);
        seen.chunks += 1;
      },
      error: (error) => {
        seen.error = error;
      },
      complete: () => {
        seen.over = true;
      },
    });
    return seen;
  };
  /** The descriptors of this process that lead to a folder. */
  const openIn = (folder: string) =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      } catch {
        return false;
      }
    });

  it.each([1, 1000, BLOCK, 3 * BLOCK, 1_000_000])('gives back %i bytes, from any position on', async (length) => {
    const { open, errors } = make(8 * 1024 ** 2);
    const content = someBytes(length);
    const spill = open(100, length);
    const early = watch(spill!.read(100));
    for (let at = 0; at < length; at += 70_000) spill?.write(chunk(content.subarray(at, at + 70_000)));
    spill?.end();
    const middle = Math.floor(length / 2);
    const late = watch(spill!.read(100 + middle));
    await until(() => early.over && late.over);
    expect(digestOf(early.bytes)).toBe(digestOf(content));
    expect(digestOf(late.bytes)).toBe(digestOf(content.subarray(middle)));
    expect(errors).toEqual([]);
  });

  it('emits little of a block when the valve closes, and loses nothing', async () => {
    const { open } = make(1024 ** 2);
    const content = someBytes(3 * BLOCK);
    const spill = open(0, content.length);
    spill?.write(chunk(content));
    spill?.end();
    const valve = new BehaviorSubject(true);
    let largest = 0;
    const parts: Buffer[] = [];
    let over = false;
    spill!
      .read(0)(valve)
      .subscribe({
        next: ({ bytes, loan }) => {
          valve.next(false);
          largest = Math.max(largest, bytes.buffer.byteLength);
          expect(loan).toBeDefined();
          parts.push(Buffer.from(bytes));
          setImmediate(() => valve.next(true));
        },
        complete: () => {
          over = true;
        },
      });
    await until(() => over);
    expect(largest).toBe(16 * 1024);
    expect(digestOf(Buffer.concat(parts))).toBe(digestOf(content));
  });

  it('is read in smaller pieces while many clients are slow', async () => {
    const { open } = make(1024 ** 2);
    const content = someBytes(2 * BLOCK + 5);
    const spill = open(0, content.length);
    spill?.write(chunk(content));
    spill?.end();
    const giveBack = holdMany();
    const sizes = new Set<number>();
    const measured: Flow<Chunk> = (valve) =>
      spill!
        .read(0)(valve)
        .pipe(tap(({ bytes }) => sizes.add(bytes.length)));
    const [whole, rest] = [watch(measured), watch(spill!.read(BLOCK + 7))];
    await until(() => whole.over && rest.over);
    giveBack();
    expect(sizes).toEqual(new Set([8 * 1024, 5]));
    expect(digestOf(whole.bytes)).toBe(digestOf(content));
    expect(digestOf(rest.bytes)).toBe(digestOf(content.subarray(BLOCK + 7)));
  });

  it('does not emit a block that changed on disk', async () => {
    const { open, folder } = make(1024 ** 2);
    const content = someBytes(2 * BLOCK);
    const spill = open(0, content.length);
    spill?.write(chunk(content));
    spill?.end();
    const whole = watch(spill!.read(0));
    await until(() => whole.over);
    writeSync(Number(openIn(folder)[0]), Buffer.from('x'), 0, 1, BLOCK + 10);
    const changed = watch(spill!.read(0));
    await until(() => changed.error !== undefined);
    expect(changed.error).toMatchObject({ code: 'CHANGED', source: 'disk' });
    expect(changed.bytes.equals(content.subarray(0, BLOCK))).toBe(true);
  });

  it('is refused if the rest of its transfer has no room, and has room again after a release', () => {
    const { open } = make(4 * BLOCK);
    const one = open(0, 3 * BLOCK);
    expect(one).toBeDefined();
    expect(open(0, 2 * BLOCK)).toBeUndefined();
    const unknown = open(0);
    expect(unknown?.write(chunk(someBytes(BLOCK)))).toBe(true);
    expect(unknown?.write(chunk(someBytes(1)))).toBe(false);
    expect([unknown?.taking, unknown?.to]).toEqual([false, BLOCK]);
    one?.release();
    expect(open(0, 3 * BLOCK)).toBeDefined();
  });

  it('is not ready while much waits for the disk, of all transfers together, and takes no more above a limit', async () => {
    const { open } = make(64 * 1024 ** 2);
    const states: boolean[] = [];
    const spills = Array.from({ length: 300 }, () => open(0, BLOCK));
    spills[0]?.ready.subscribe((ready) => states.push(ready));
    const taken = spills.map((spill) => spill?.write(chunk(someBytes(BLOCK))));
    expect(taken.filter((one) => one)).toHaveLength(256);
    expect(states).toEqual([true, false]);
    expect([spills[255]?.to, spills[256]?.taking, spills[256]?.to]).toEqual([BLOCK, false, 0]);
    await until(() => states.length === 3);
    expect(states).toEqual([true, false, true]);
  });

  it('holds lent bytes until they are written, and no longer', async () => {
    const { open } = make(1024 ** 2);
    const bytes = lend(0);
    const spill = open(0, bytes.length);
    spill?.write({ ...chunk(bytes), loan: loanOf(bytes) });
    expect(isMine(bytes)).toBe(false);
    await until(() => isMine(bytes));
  });

  it('has a file without a name, made when it is needed and closed when it is not', async () => {
    const folder = join(newFolder(), 'spill');
    mkdirSync(folder);
    writeFileSync(join(folder, 'left.spill'), 'by a killed process');
    writeFileSync(join(folder, 'other'), '');
    const { open } = make(1024 ** 2, folder);
    expect(readdirSync(folder)).toEqual(['other']);
    expect(openIn(folder)).toHaveLength(0);
    const spill = open(0, 100);
    spill?.write(chunk(someBytes(100)));
    spill?.end();
    expect(readdirSync(folder)).toEqual(['other']);
    expect(openIn(folder)).toHaveLength(1);
    spill?.release();
    await until(() => openIn(folder).length === 0);
  });

  it('does not exist without a limit, or in a folder that cannot be used', () => {
    expect(make(0).open(0, 1)).toBeUndefined();
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const { open, errors } = make(1024 ** 2, join(file, 'spill'));
    expect(open(0, 1)).toBeUndefined();
    expect(errors).toHaveLength(1);
  });
});
