import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commentedIni } from '../../../src/config/commented.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { keyOf, SETTINGS } from '../../../src/config/schema.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { processes } from '../../support/processes.ts';
import { pulpStreamer } from '../../support/site.ts';

const folder = temporaryFolders();
const start = processes();

const loaded = (text: string) => {
  const file = join(folder(), 'pulp-streamer.conf');
  writeFileSync(file, text);
  return loadSettings({ files: [file] });
};

describe('commentedIni', () => {
  it('sets nothing', () => {
    const { origins, warnings } = loaded(commentedIni());
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
    expect(warnings).toEqual([]);
  });

  it('has each setting once, as the default', () => {
    const { settings } = loadSettings({ files: [] });
    const keys = Object.keys(SETTINGS).map(keyOf);
    const active = commentedIni().replace(/^#(?=\w+ = )/gm, '');
    expect([...active.matchAll(/^(\w+) = /gm)].map(([, key]) => key).sort()).toEqual(keys.sort());
    const { settings: same, origins, warnings } = loaded(active);
    expect(same).toEqual(settings);
    expect(Object.values(origins)).not.toContain('default');
    expect(warnings).toEqual([]);
  });
});

describe('init', () => {
  it('writes the file and its folder, and never over a file', async () => {
    const file = join(folder(), 'etc', 'pulp-streamer.conf');
    const first = await pulpStreamer(start, 'init', file).ended;
    expect({ status: first.status, stdout: first.stdout.toString() }).toEqual({
      status: 0,
      stdout: `wrote ${file}: all settings, as comments\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(commentedIni());
    expect(statSync(file).mode & 0o007).toBe(0);
    writeFileSync(file, 'mine');
    const second = await pulpStreamer(start, 'init', file).ended;
    expect({ status: second.status, stderr: second.stderr }).toEqual({
      status: 1,
      stderr: `error: ${file} is there already, and stays as it is\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await pulpStreamer(start, 'init', '-').ended).stdout.toString()).toBe(commentedIni());
  });
});
