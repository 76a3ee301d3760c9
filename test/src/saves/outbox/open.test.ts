import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import type { PendingSaveRequest, SaveRequest } from '../../../../pipelines/model/index.ts';
import { type DurableOutbox, openOutbox } from '../../../../src/saves/outbox/open.ts';
import { runUntilKilled } from '../../../support/crash/until-killed.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { anEntry } from '../../../support/pipeline.ts';
import { tinyDisk } from '../../../support/tiny-disk.ts';
import { until } from '../../../support/until.ts';

const folder = temporaryFolders();
const opened: DurableOutbox[] = [];
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.close();
});

/** An outbox that is closed after the test. An unexpected error fails the test. */
const open = (file: string, options: Partial<Parameters<typeof openOutbox>[1]> = {}): DurableOutbox => {
  const onError = (error: Error) => {
    throw error;
  };
  const outbox = openOutbox(file, { onError, ...options });
  opened.push(outbox);
  return outbox;
};
const anOutbox = (options?: Parameters<typeof open>[1]) => open(join(folder(), 'outbox.db'), options);

const saveRequest = (unitId: string, path = `/${unitId}.rpm`): SaveRequest => ({
  requestId: `request for ${unitId}`,
  entry: anEntry({ unitId, path }),
});
const unitsOf = (saves: Iterable<PendingSaveRequest>) => [...saves].map(({ entry }) => entry.unitId);
const rowsIn = (file: string): number => {
  using database = new DatabaseSync(file);
  return Number(database.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};
/**
 * Until all pending timers have run: `setImmediate` three times, for one turn of the outbox and its
 * answer.
 */
const aTurn = async () => {
  for (let i = 0; i < 3; i += 1) await setImmediate();
};

/** The save requests that a subscriber of `due` received. */
const receive = (outbox: DurableOutbox) => {
  const given: PendingSaveRequest[] = [];
  const subscription = outbox.due.subscribe((save) => given.push(save));
  return { given, units: () => unitsOf(given), stop: () => subscription.unsubscribe() };
};

describe('the outbox', () => {
  it('has written save requests when `written` completes, all of one turn at once', async () => {
    const file = join(folder(), 'outbox.db');
    const outbox = open(file);
    using other = new DatabaseSync(file);
    const commits = () => Number(other.prepare('PRAGMA data_version').get()?.data_version);
    const before = commits();
    for (const unit of ['a', 'b', 'c']) outbox.append(saveRequest(unit));
    const first = lastValueFrom(outbox.written, { defaultValue: undefined });
    expect(rowsIn(file)).toBe(0);
    await first;
    expect(rowsIn(file)).toBe(3);
    expect(commits() - before).toBe(1);
    // Nothing waits: no turn is lost.
    let completed = false;
    outbox.written.subscribe({
      complete: () => {
        completed = true;
      },
    });
    expect(completed).toBe(true);
  });

  it('waits for no disk that fails: `written` completes after the attempt', async () => {
    const file = join(folder(), 'outbox.db');
    const errors: string[] = [];
    const outbox = open(file, { onError: ({ message }) => errors.push(message) });
    using other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    for (const unit of ['a', 'b']) {
      outbox.append(saveRequest(unit));
      await lastValueFrom(outbox.written, { defaultValue: undefined });
    }
    // The second one does not try again before its time.
    expect(errors.length).toBe(1);
    other.exec('COMMIT');
    await until(() => rowsIn(file) === 2);
  });

  it('completes `written` when it is closed', async () => {
    const outbox = anOutbox();
    outbox.append(saveRequest('a'));
    const written = lastValueFrom(outbox.written, { defaultValue: 'done' });
    outbox.close();
    await expect(written).resolves.toBe('done');
  });

  it('returns save requests unchanged', async () => {
    const outbox = anOutbox();
    const entry = anEntry({ checksum: { algorithm: 'md5', value: 'ab' }, size: 3, data: { ünit: ['x', null] } });
    outbox.append({ requestId: 'request-7', entry });
    const { given } = receive(outbox);
    await until(() => given.length > 0);
    expect(given).toEqual([{ id: 1, failures: 0, requestId: 'request-7', entry, notedAt: expect.any(Number) }]);
  });

  it('stores one waiting save request per unit and path, in memory and in the file', async () => {
    const outbox = anOutbox();
    outbox.append(saveRequest('a', '/one'));
    outbox.append(saveRequest('a', '/one'));
    outbox.append(saveRequest('a', '/two'));
    outbox.append(saveRequest('b', '/one'));
    await aTurn();
    outbox.append(saveRequest('a', '/one'));
    expect(unitsOf(outbox.list())).toEqual(['a', 'a', 'b']);
  });

  it('stores a save request again once the earlier one was removed', async () => {
    const outbox = anOutbox();
    const { given } = receive(outbox);
    outbox.append(saveRequest('a'));
    await until(() => given.length === 1);
    outbox.remove(given[0]!);
    outbox.append(saveRequest('a'));
    await until(() => given.length === 2);
    expect(given[1]?.id).not.toBe(given[0]?.id);
  });

  it('emits waiting save requests, oldest first, then new ones, each once', async () => {
    const outbox = anOutbox();
    for (const unit of ['a', 'b', 'c']) outbox.append(saveRequest(unit));
    await aTurn();
    const { units } = receive(outbox);
    await until(() => units().length === 3);
    outbox.append(saveRequest('d'));
    outbox.append(saveRequest('a'));
    await until(() => units().length === 4);
    await aTurn();
    expect(units()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('emits at most its window at a time, and then the rest in order', async () => {
    const outbox = anOutbox({ window: 8 });
    const all = Array.from({ length: 500 }, (_, i) => `unit-${i}`);
    for (const unit of all) outbox.append(saveRequest(unit));
    const { given, units } = receive(outbox);
    await until(() => given.length > 0);
    await aTurn();
    expect(given.length).toBe(8);
    for (let settled = 0; settled < all.length; settled += 1) {
      await until(() => given.length > settled);
      expect(given.length - settled).toBeLessThanOrEqual(8);
      outbox.remove(given[settled]!);
    }
    await aTurn();
    expect(units()).toEqual(all);
    expect([...outbox.list()]).toEqual([]);
  });

  it('emits a postponed save request again when it is due, with its failures, and no sooner', async () => {
    const outbox = anOutbox();
    outbox.append(saveRequest('a'));
    const { given } = receive(outbox);
    await until(() => given.length === 1);
    const dueAt = Date.now() + 30;
    outbox.putOff(given[0]!, 30, 'broker down');
    await until(() => given.length === 2);
    expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
    expect(given[1]).toEqual({ ...given[0], failures: 1 });
  });

  it('starts over for each subscription: unsettled save requests are due again', async () => {
    const outbox = anOutbox();
    for (const unit of ['a', 'b', 'c']) outbox.append(saveRequest(unit));
    const first = receive(outbox);
    await until(() => first.given.length === 3);
    first.stop();
    outbox.remove(first.given[1]!);
    outbox.append(saveRequest('d'));
    const second = receive(outbox);
    await until(() => second.given.length === 3);
    expect(second.units()).toEqual(['a', 'c', 'd']);
    expect(first.units()).toEqual(['a', 'b', 'c']);
  });

  it('continues after being closed and opened again', async () => {
    const file = join(folder(), 'outbox.db');
    const before = open(file);
    for (const unit of ['a', 'b', 'c']) before.append(saveRequest(unit));
    const { given } = receive(before);
    await until(() => given.length === 3);
    before.remove(given[0]!);
    before.putOff(given[1]!, 3_600_000, 'not today');
    before.close();
    const after = open(file);
    const { units } = receive(after);
    await until(() => units().length > 0);
    expect(units()).toEqual(['c']);
    expect([...after.list()]).toMatchObject([{ failures: 1, reason: 'not today' }, { failures: 0 }]);
  });

  it('lists waiting save requests, with age, failures and reason', async () => {
    const outbox = anOutbox();
    outbox.append(saveRequest('a'));
    const { given } = receive(outbox);
    await until(() => given.length === 1);
    outbox.putOff(given[0]!, 60_000, 'broker down');
    const [found, ...more] = outbox.list();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ id: 1, failures: 1, reason: 'broker down', entry: { unitId: 'a' } });
    expect(found?.dueIn).toBeGreaterThan(50_000);
    expect(found?.dueIn).toBeLessThanOrEqual(60_000);
    expect(found?.age).toBeGreaterThanOrEqual(0);
  });

  it('makes one save request or all of them due at once', async () => {
    const outbox = anOutbox();
    for (const unit of ['a', 'b', 'c']) outbox.append(saveRequest(unit));
    const { given, units } = receive(outbox);
    await until(() => given.length === 3);
    for (const save of given) outbox.putOff(save, 3_600_000, 'not today');
    expect(outbox.retry(2)).toBe(1);
    await until(() => given.length === 4);
    expect(outbox.retry('all')).toBe(2);
    await until(() => given.length === 6);
    expect(units().slice(3)).toEqual(['b', 'a', 'c']);
    expect(outbox.retry(99)).toBe(0);
  });

  it('drops one save request or all of them', async () => {
    const outbox = anOutbox();
    for (const unit of ['a', 'b', 'c']) outbox.append(saveRequest(unit));
    outbox.flush();
    expect(outbox.drop(2)).toBe(1);
    expect(unitsOf(outbox.list())).toEqual(['a', 'c']);
    expect(outbox.drop('all')).toBe(2);
    expect([...outbox.list()]).toEqual([]);
  });

  it('sees the save requests of another process', async () => {
    const file = join(folder(), 'outbox.db');
    const daemon = open(file);
    const { units } = receive(daemon);
    await aTurn();
    open(file).append(saveRequest('from the command line'));
    await aTurn();
    daemon.append(saveRequest('own'));
    await until(() => units().length === 2);
    expect(units()).toEqual(['from the command line', 'own']);
  });

  it('reports a save request that it cannot accept, and stores the others', async () => {
    const errors: string[] = [];
    const outbox = anOutbox({ onError: ({ message }) => errors.push(message) });
    outbox.append(saveRequest('a'));
    outbox.append({ requestId: 'r', entry: anEntry({ path: '/odd.rpm', data: { number: 1n } }) });
    outbox.append(saveRequest('b'));
    expect(unitsOf(outbox.list())).toEqual(['a', 'b']);
    expect(errors).toEqual([expect.stringMatching(/cannot accept the save request for \/odd\.rpm: .*BigInt/)]);
  });

  it('writes pending save requests when it is closed, and accepts none afterwards', () => {
    const file = join(folder(), 'outbox.db');
    const errors: string[] = [];
    const outbox = openOutbox(file, { onError: ({ message }) => errors.push(message) });
    outbox.append(saveRequest('a'));
    outbox.close();
    outbox.close();
    outbox.append(saveRequest('b'));
    expect(rowsIn(file)).toBe(1);
    expect(errors).toEqual([`outbox ${file} cannot accept the save request for /b.rpm: the outbox is closed`]);
  });

  it('keeps save requests and changes in memory while another process locks the file, and writes them afterwards', async () => {
    const file = join(folder(), 'outbox.db');
    const errors: string[] = [];
    const outbox = open(file, { onError: ({ message }) => errors.push(message) });
    const { given } = receive(outbox);
    outbox.append(saveRequest('a'));
    await until(() => given.length === 1);
    using other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    outbox.append(saveRequest('b'));
    outbox.remove(given[0]!);
    await until(() => errors.length > 0);
    const more = Array.from({ length: 20 }, (_, i) => `c${i}`);
    for (const unit of more) {
      outbox.append(saveRequest(unit));
      await setImmediate();
    }
    // Not one attempt per turn: the delays double.
    expect(errors.length).toBeLessThan(10);
    other.exec('COMMIT');
    await until(() => given.length === 22);
    expect(unitsOf(outbox.list())).toEqual(['b', ...more]);
    expect(errors[0]).toBe(`outbox ${file} cannot be written (save requests in memory: 1): database is locked`);
  });

  it('keeps the trace context, also in a file of the first release, which has no tracestate', () => {
    const file = join(folder(), 'outbox.db');
    open(file).append(saveRequest('old'));
    opened.pop()?.close();
    new DatabaseSync(file).exec('ALTER TABLE saves DROP COLUMN tracestate');
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' };
    const outbox = open(file);
    outbox.append({ ...saveRequest('new'), ...trace });
    const [old, added] = [...outbox.list()];
    expect(old).toMatchObject(saveRequest('old'));
    expect(old).not.toHaveProperty('tracestate');
    expect(added).toMatchObject({ ...saveRequest('new'), ...trace });
  });

  it('refuses a file that is not an outbox, or of a later version, and names it', () => {
    const file = join(folder(), 'outbox.db');
    writeFileSync(file, 'no database at all, but long enough to be taken for one'.repeat(100));
    expect(() => open(file)).toThrow(`outbox ${file} cannot be opened: file is not a database`);
    const later = join(folder(), 'outbox.db');
    new DatabaseSync(later).exec('PRAGMA user_version = 7');
    expect(() => open(later)).toThrow(
      'it has layout 7, this pulp-streamer supports layout 1: a later version wrote it; install that version again, or restore a backup from before the upgrade',
    );
  });

  const disk = tinyDisk();
  afterAll(() => disk?.free());
  (disk ? it : it.skip)(
    'keeps save requests in memory while the disk is full, up to its limit (needs mount)',
    async () => {
      const file = join(disk!.folder, 'outbox.db');
      const errors: string[] = [];
      const outbox = open(file, { onError: ({ message }) => errors.push(message), heldLimit: 40 });
      const filling = join(disk!.folder, 'filling');
      expect(() => writeFileSync(filling, Buffer.alloc(2_000_000))).toThrow('ENOSPC');
      const large = (i: number) => ({
        requestId: 'r',
        entry: anEntry({ unitId: `${i}`, data: { text: 'x'.repeat(5000) } }),
      });
      outbox.append(large(0));
      await until(() => errors.length === 1);
      for (let i = 1; i < 42; i += 1) outbox.append(large(i));
      await until(() => errors.length === 3);
      expect(errors[0]).toMatch(/cannot be written \(save requests in memory: 1\): database or disk is full/);
      expect(errors[1]).toMatch(/cannot accept the save request .*: too many save requests in memory \(limit 40\)/);
      await until(() => errors.length === 4);
      expect(errors[3]).toMatch(/cannot be written \(save requests in memory: 40\): database or disk is full/);
      const { units } = receive(outbox);
      rmSync(filling);
      await until(() => units().length === 40);
      expect(units()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
    },
  );

  it.each([1, 40, 333, 1500, 4000])('loses no stored save request when killed after %i lines', async (lines) => {
    const file = join(folder(), 'outbox.db');
    const said = await runUntilKilled(new URL('../../../support/crash/fill-outbox.ts', import.meta.url), [file], lines);
    const noted = said.filter((line) => line.startsWith('noted ')).map((line) => line.slice(6));
    const delivered = new Set(said.filter((line) => line.startsWith('delivered ')).map((line) => line.slice(10)));

    const waiting = unitsOf(open(file).list());
    expect(new Set(waiting).size).toBe(waiting.length);
    const known = new Set([...waiting, ...delivered]);
    expect(noted.filter((unit) => !known.has(unit))).toEqual([]);
    // Save requests that were delivered well before the end are gone. Those of the last turn may be
    // delivered again.
    expect(waiting.filter((unit) => delivered.has(unit)).length).toBeLessThanOrEqual(256);
    using database = new DatabaseSync(file);
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});
