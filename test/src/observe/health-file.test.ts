import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { lastValueFrom, of, Subject } from 'rxjs';
import { readHealth, type UnhealthySource, writeHealth } from '../../../src/observe/health-file.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'health-'));
  file = join(folder, 'health.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const unhealthy = {
  source: 'feed:host',
  state: 'cooling',
  failures: 2,
  until: 2000,
  lastError: { code: 'STALLED', message: 'sent nothing' },
};

describe('the health file', () => {
  it('contains the last states', async () => {
    await lastValueFrom(
      writeHealth(file, of(1, 2), () => [unhealthy]),
      { defaultValue: undefined },
    );
    expect(readHealth(file, 1000)).toEqual([unhealthy]);
  });

  it('is written once for thousands of changes, and not more often the more sources it names', async () => {
    const failing = new Subject<number>();
    let states: UnhealthySource[] = [];
    let writes = 0;
    const taken = () => {
      writes += 1;
      return states;
    };
    const writing = lastValueFrom(writeHealth(file, failing, taken), { defaultValue: undefined });
    for (let at = 0; at < 3000; at += 1) {
      states.push({ ...unhealthy, source: `feed:${at}` });
      failing.next(at);
    }
    states = states.slice(-1000);
    failing.complete();
    await writing;
    expect(readHealth(file, 1000)).toEqual(states);
    expect(writes).toBe(2);
  });

  it('waits for a slow write instead of queueing the next ones', async () => {
    jest.useFakeTimers();
    const failing = new Subject<number>();
    let writes = 0;
    const taken = () => {
      writes += 1;
      return [];
    };
    const writing = lastValueFrom(writeHealth(file, failing, taken), { defaultValue: undefined });
    // The disk ends no write in these turns: only the clock moves.
    for (let turn = 0; turn < 100; turn += 1) {
      failing.next(turn);
      jest.advanceTimersByTime(1000);
    }
    jest.useRealTimers();
    failing.complete();
    await writing;
    expect(writes).toBe(2);
  });

  it('forgets what an earlier daemon left, at once', async () => {
    writeFileSync(file, JSON.stringify([unhealthy]));
    const renamed = new Promise<void>((resolve) => {
      const watcher = watch(folder, (_, name) => {
        if (name !== 'health.json' || readFileSync(file, 'utf8') !== '[]') return;
        watcher.close();
        resolve();
      });
    });
    const writing = writeHealth(file, of(), () => []).subscribe();
    await renamed;
    writing.unsubscribe();
    expect(readHealth(file, 1000)).toEqual([]);
  });

  it('leaves out expired states', async () => {
    await lastValueFrom(
      writeHealth(file, of(1), () => [unhealthy]),
      { defaultValue: undefined },
    );
    expect(readHealth(file, 2000)).toEqual([]);
  });

  it('is empty if missing, and fails if unreadable', () => {
    expect(readHealth(file, 0)).toEqual([]);
    writeFileSync(file, 'no JSON');
    expect(() => readHealth(file, 0)).toThrow(/JSON/);
  });

  it('errors where it cannot write', async () => {
    await expect(lastValueFrom(writeHealth(join(folder, 'none', 'x.json'), of(1), () => []))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
