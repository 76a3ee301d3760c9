import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS, type ErrorCode } from '../../../pipelines/model/index.ts';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { fitOpenFiles, limitsOf } from '../../../src/app/http-limits.ts';
import { keyOf, SETTINGS, type Settings } from '../../../src/config/schema.ts';

const text = readFileSync(new URL('../../../docs/reference/limits.md', import.meta.url), 'utf8');
const rows = [...text.matchAll(/^\| `(\w+)` \| `([^`]*)` \|.*\| (.*) \|$/gm)].map(([, key, value, beyond]) => ({
  key,
  value,
  beyond,
}));

describe('docs/reference/limits.md', () => {
  it('states the defaults of the settings', () => {
    const defaults = Object.entries(SETTINGS).map(([name, setting]) => [keyOf(name), setting.default]);
    for (const { key, value } of rows) expect(defaults).toContainEqual([key, value]);
  });

  it('has a row for each limit', () => {
    const limits: string[] = [];
    // Which settings they are is what is looked at of all settings.
    limitsOf(new Proxy({} as Settings, { get: (_, name) => limits.push(keyOf(String(name))) }));
    expect(limits).toHaveLength(9);
    expect(rows.map(({ key }) => key).sort()).toEqual(limits.sort());
  });

  it('states the statuses of the errors', () => {
    const stated = rows.flatMap(({ beyond = '' }) => [...beyond.matchAll(/(\d{3}) `([A-Z_]+)`/g)]);
    expect(stated).toHaveLength(6);
    for (const [, status, code] of stated) expect(ERRORS[code as ErrorCode].status).toBe(Number(status));
  });
});

describe('the limits of settings', () => {
  it('are times in whole milliseconds', () => {
    expect(limitsOf(settingsOf({ requestTimeout: 1.001, keepAliveTimeout: 4.035 }))).toMatchObject({
      requestTimeout: 1001,
      keepAliveTimeout: 4035,
    });
  });
});

describe('the limit of open files', () => {
  const fitted = (openFiles: number | undefined, limits = {}) => {
    const { connections, transfers } = fitOpenFiles(limitsOf(settingsOf(limits)), openFiles);
    return [connections, transfers];
  };

  it('suffices for all connections and transfers', () => {
    expect(fitted(undefined)).toEqual([8000, 2000]);
    expect(fitted(12_150)).toEqual([8000, 2000]);
    expect(fitted(4096)).toEqual([1898, 1024]);
    expect(fitted(256)).toEqual([64, 64]);
    expect(fitted(4096, { maxTransfers: 10, maxClientConnections: 100 })).toEqual([100, 10]);
  });

  it('takes the place of limits that are lifted', () => {
    expect(fitted(undefined, { maxTransfers: 0, maxClientConnections: 0 })).toEqual([0, 0]);
    expect(fitted(4096, { maxTransfers: 0, maxClientConnections: 0 })).toEqual([1898, 1024]);
  });
});
