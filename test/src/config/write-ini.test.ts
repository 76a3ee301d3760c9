import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Loaded, loadSettings } from '../../../src/config/load.ts';
import { SETTINGS } from '../../../src/config/schema.ts';
import { commentLine, settingsIni } from '../../../src/config/write-ini.ts';
import { arbitrarySettings } from '../../support/arbitrary-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The settings in a file with this text. */
const load = (text: string): Loaded => {
  const file = join(folder, 'pulp-streamer.conf');
  writeFileSync(file, text);
  return loadSettings({ files: [file] });
};

describe('settings as a pulp-streamer.conf', () => {
  it('load back to the same settings, whatever they are', () => {
    fc.assert(
      fc.property(arbitrarySettings(), (flags) => {
        const { settings, origins } = loadSettings({ files: [], flags });
        const loaded = load(settingsIni({ settings, origins }, { secrets: true }));
        expect(loaded.settings).toEqual(settings);
        expect(loaded.warnings).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('say every setting, a line each', () => {
    const text = settingsIni(loadSettings({ files: [] }), { secrets: false });
    const keys = [...text.matchAll(/^([a-z_]+) =/gm)].map(([, key]) => key);
    expect(keys).toHaveLength(Object.keys(SETTINGS).length);
    expect(text).toContain('\n[streamer]\nport = 8751\ninterfaces = localhost\n');
    expect(text).toContain('\nsave_task_args = "[\\"{entry}\\"]"\n');
  });

  it('leave secrets out, and say so, unless they are asked for', () => {
    const loaded = loadSettings({
      files: [],
      flags: { databasePassword: 'hunter;seven', brokerUrl: 'amqp://u:hunter@h' },
    });
    const text = settingsIni(loaded, { secrets: false });
    expect(text).not.toMatch(/hunter|seven/);
    expect(text).toContain('\n# database_password is a secret and left out; --secrets writes it\n');
    expect(load(text).settings).toEqual({
      ...loaded.settings,
      databasePassword: '',
      brokerUrl: 'amqp://guest@localhost//',
    });
    expect(settingsIni(loaded, { secrets: true })).toContain('\ndatabase_password = hunter\\;seven\n');
  });

  it('have comments of one line each, whatever is in them', () =>
    expect(commentLine('a\n[b]\r\n c: d')).toBe('# a [b] c: d\n'));
});
