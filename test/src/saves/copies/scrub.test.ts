import { existsSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { concat, defer, EMPTY, finalize, NEVER, of, type Subscription, throwError, VirtualTimeScheduler } from 'rxjs';
import type { Pace } from '../../../../src/saves/copies/read-whole.ts';
import { scrub } from '../../../../src/saves/copies/scrub.ts';
import { sidecarOf } from '../../../../src/saves/copies/sidecar.ts';
import { someBytes } from '../../../support/collect.ts';
import { rot } from '../../../support/rot.ts';
import { describing, fileOf, find, keep, stores } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

const DAY = 24 * 3_600_000;

/** A scrub of copies that are numbers of bytes, in virtual time. A copy is read in portions of 100. */
const scrubbing = (
  copies: readonly number[],
  { rate = 1000, verify }: { rate?: number; verify?: () => never } = {},
) => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 3 * DAY;
  const seen: string[] = [];
  const errors: unknown[] = [];
  const note = (text: string) => seen.push(`${scheduler.now()} ${text}`);
  const read = (copy: number, pace: Pace) => {
    const portions = Array.from({ length: Math.ceil(copy / 100) }, (_, at) => Math.min(100, copy - at * 100));
    return concat(...portions.map((bytes) => defer(() => pace(bytes))));
  };
  const running: Subscription = scrub<number>({
    begin: () => {
      const rest = [...copies];
      return () => {
        const [copy] = rest.splice(0, 1);
        note(`next ${copy ?? 'none'}`);
        return copy === undefined ? EMPTY : of(copy);
      };
    },
    verify: (copy, pace) =>
      defer(() => {
        verify?.();
        note(`begin ${copy}`);
        return read(copy, pace);
      }).pipe(finalize(() => note(`end ${copy}`))),
    rate,
    onError: (error) => errors.push(error),
    scheduler,
  }).subscribe();
  return { scheduler, seen, errors, running };
};

describe('a scrub', () => {
  it('looks for a copy when the previous one is read, no faster than its rate', () => {
    const { scheduler, seen, running } = scrubbing([250, 100]);
    scheduler.schedule(() => running.unsubscribe(), 1000);
    scheduler.flush();
    expect(seen).toEqual([
      '0 next 250',
      '0 begin 250',
      '200 end 250',
      '200 next 100',
      '200 begin 100',
      '350 end 100',
      '350 next none',
    ]);
  });

  it('rests for a day after a round, then begins another', () => {
    const { scheduler, seen, running } = scrubbing([100]);
    scheduler.schedule(() => running.unsubscribe(), 1.5 * DAY);
    scheduler.flush();
    expect(seen.filter((line) => line.endsWith('begin 100'))).toEqual(['0 begin 100', `${DAY + 100} begin 100`]);
  });

  it('waits once for many small copies', () => {
    const { scheduler, seen, running } = scrubbing(Array.from({ length: 20 }, () => 10));
    scheduler.schedule(() => running.unsubscribe(), 1000);
    scheduler.flush();
    const times = new Set(seen.map((line) => line.split(' ', 1)[0]));
    expect([...times]).toEqual(['0', '100', '200']);
  });

  it('reports an error, and begins again after the rest', () => {
    const { scheduler, errors, running } = scrubbing([100], {
      verify: () => {
        throw new Error('unreadable');
      },
    });
    scheduler.schedule(() => running.unsubscribe(), 1.5 * DAY);
    scheduler.flush();
    expect(errors).toEqual([new Error('unreadable'), new Error('unreadable')]);
  });

  it('stops at once when unsubscribed, also during a copy', () => {
    const { scheduler, seen, running } = scrubbing([1000]);
    scheduler.schedule(() => running.unsubscribe(), 150);
    scheduler.flush();
    expect(seen.at(-1)).toBe('150 end 1000');
    expect(scheduler.now()).toBe(150);
  });

  it('reports an error of the folder', () => {
    const errors: unknown[] = [];
    const running = scrub<number>({
      begin: () => () => throwError(() => new Error('no folder')),
      verify: () => NEVER,
      rate: 1,
      onError: (error) => errors.push(error),
    }).subscribe();
    running.unsubscribe();
    expect(errors).toEqual([new Error('no folder')]);
  });
});

describe('the scrub of a store', () => {
  const { aStore } = stores();
  const FAST = 1e9;

  const withCopies = async () => {
    const store = aStore();
    const contents = [someBytes(300_000), someBytes(1000), someBytes(2_000_000)];
    const entries = contents.map((content, at) => describing(content, { path: `/${at}.rpm` }));
    for (const [at, entry] of entries.entries())
      await keep(store, entry, contents[at] ?? content0, [['ETag', `"${at}"`]]);
    const files = [];
    for (const entry of entries) files.push(fileOf(await find(store, entry)));
    return { store, entries, contents, files };
  };
  const content0 = Buffer.alloc(0);

  it('removes and reports wrong copies, and no others', async () => {
    const { store, entries, files } = await withCopies();
    rot(files[0] ?? '', 5);
    rot(files[2] ?? '', 1_999_999);
    const running = store.scrub(FAST).subscribe();
    await until(() => store.errors.length === 2);
    running.unsubscribe();
    for (const file of [files[0], files[2]])
      expect(store.errors).toContainEqual(expect.stringMatching(`^${file}: its sha256 is .*; it was removed$`));
    expect(files.map((file) => existsSync(file))).toEqual([false, true, false]);
    expect(await find(store, entries[1]!)).toBeDefined();
    expect(await find(store, entries[0]!)).toBeUndefined();
  });

  it('writes the sums of right copies that lack them, also for a file whose time has changed', async () => {
    const { store, files } = await withCopies();
    const file = files[1] ?? '';
    const usedAt = statSync(sidecarOf(file)).mtimeMs;
    utimesSync(file, 1, 1);
    const running = store.scrub(FAST).subscribe();
    const written = () => JSON.parse(readFileSync(sidecarOf(file), 'utf8')).about;
    await until(() => written().blocks.modified === '1000000000');
    expect(written().headers).toEqual([['ETag', '"1"']]);
    expect(Math.abs(statSync(sidecarOf(file)).mtimeMs - usedAt)).toBeLessThan(1);
    running.unsubscribe();
    expect(store.errors).toEqual([]);
  });

  it('leaves out a copy whose checksum is unknown', async () => {
    const { store, files } = await withCopies();
    rot(files[1] ?? '', 5);
    rmSync(sidecarOf(files[1] ?? ''));
    rot(files[2] ?? '', 5);
    const running = store.scrub(FAST).subscribe();
    await until(() => store.errors.length === 1);
    running.unsubscribe();
    expect(existsSync(files[1] ?? '')).toBe(true);
  });
});
