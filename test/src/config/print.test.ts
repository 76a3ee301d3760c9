import { describe, expect, it } from '@jest/globals';
import { parseIni } from '../../../src/config/ini.ts';
import { integer, list, size, wait } from '../../../src/config/kinds.ts';
import { printSettings, settingsJson } from '../../../src/config/print.ts';
import { resolveSettings } from '../../../src/config/resolve.ts';
import type { Table } from '../../../src/config/schema.ts';

const usual = { section: 'streamer', aliases: [], meaning: '' };
const table = {
  headTimeout: { ...usual, kind: wait(0), default: '27' },
  interfaces: { ...usual, kind: list('names'), default: '' },
  limit: { ...usual, kind: size, default: '1 MiB' },
  pin: { ...usual, kind: integer(0, 9999), default: '0', secret: true },
} as const satisfies Table;

const files = [parseIni('[streamer]\npin: 1234\n', '/etc/a.conf')];

describe('printed settings', () => {
  const settled = resolveSettings(table, { files, env: {}, flags: { limit: '2k' } });

  it('are a table with every value, its origin, and no secret', () => {
    expect(printSettings(settled, table)).toBe(
      [
        'head_timeout  27 s      default',
        'interfaces    (empty)   default',
        'limit         2000 B    flag --limit',
        'pin           ********  /etc/a.conf:2',
        '',
      ].join('\n'),
    );
  });

  it('are JSON with every value, its origin, and no secret', () => {
    expect(JSON.parse(JSON.stringify(settingsJson(settled, table)))).toEqual({
      head_timeout: { value: 27, unit: 's', text: '27 s', origin: 'default' },
      interfaces: { value: [], text: '(empty)', origin: 'default' },
      limit: { value: 2000, unit: 'bytes', text: '2000 B', origin: 'flag --limit' },
      pin: { value: '********', text: '********', origin: '/etc/a.conf:2' },
    });
  });

  it('a wrong secret is not shown either', () => {
    const { problems } = resolveSettings(table, { files: [], env: { PULP_STREAMER_PIN: 'hunter2' }, flags: {} });
    expect(problems).toEqual([
      'environment PULP_STREAMER_PIN: expected a whole number from 0 to 9999; found something else (a secret, not shown)',
    ]);
  });
});
