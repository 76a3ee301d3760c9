import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom, of } from 'rxjs';
import { readHealth, writeHealth } from '../../../src/observe/health-file.ts';

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
    await lastValueFrom(writeHealth(file, of([], [unhealthy])), { defaultValue: undefined });
    expect(readHealth(file, 1000)).toEqual([unhealthy]);
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
    const writing = writeHealth(file, of()).subscribe();
    await renamed;
    writing.unsubscribe();
    expect(readHealth(file, 1000)).toEqual([]);
  });

  it('leaves out expired states', async () => {
    await lastValueFrom(writeHealth(file, of([unhealthy])), { defaultValue: undefined });
    expect(readHealth(file, 2000)).toEqual([]);
  });

  it('is empty if missing, and fails if unreadable', () => {
    expect(readHealth(file, 0)).toEqual([]);
    writeFileSync(file, 'no JSON');
    expect(() => readHealth(file, 0)).toThrow(/JSON/);
  });

  it('errors where it cannot write', async () => {
    await expect(lastValueFrom(writeHealth(join(folder, 'none', 'x.json'), of([])))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
