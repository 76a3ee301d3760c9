import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { isSidecar } from '../../src/saves/copies/sidecar.ts';
import { askWhole } from '../support/clients.ts';
import { filesBelow, temporaryFolders } from '../support/folder.ts';
import { type Origin, openOrigins } from '../support/origin.ts';
import { rot } from '../support/rot.ts';
import { until } from '../support/until.ts';

const openOrigin = openOrigins();
const folder = temporaryFolders();

const open = async (settings: SettingOptions = {}) => {
  const saveDir = String(settings.saveDir ?? join(folder(), 'saved'));
  const origin = await openOrigin({ dispatch: 'save', cooldown: 60, ...settings, saveDir });
  const copies = () =>
    (existsSync(saveDir) ? filesBelow(saveDir) : [])
      .filter((file) => !isSidecar(file) && !file.startsWith('.partial'))
      .map((file) => join(saveDir, file));
  /** Offers content that has a copy; resolves to it and the copy's file. */
  const copied = async (path: string, size?: number) => {
    const before = copies();
    const content = origin.offer(path, size);
    await origin.copied(path);
    const [file = ''] = copies().filter((one) => !before.includes(one));
    return { ...content, file };
  };
  return { origin, copies, copied, get: (path: string, fields = {}) => askWhole(origin.url + path, fields) };
};

/** How often the feed was asked for the whole of a file. */
const wholes = ({ feed }: Origin, path: string) => feed.asked(path).filter((range) => range === undefined).length;

describe.each([1, 2])('a wrong copy, with %s worker(s)', (workers) => {
  it('does not keep other copies from being served', async () => {
    const { origin, copied, get } = await open({ workers });
    const wrong = await copied('/wrong.rpm');
    const right = await copied('/right.rpm');
    rot(wrong.file, 3_000_000);
    expect(await get('/wrong.rpm')).toMatchObject({ status: 200, sha256: wrong.sha256 });
    const served = origin.served('/right.rpm');
    expect(await get('/right.rpm')).toMatchObject({ status: 200, sha256: right.sha256 });
    expect((await origin.logged('/right.rpm', served + 1)).at(-1)).toMatchObject({ source: 'saved' });
    expect(wholes(origin, '/right.rpm')).toBe(1);
  });

  it('is removed by the scrub, and fetched again with the next request', async () => {
    const saveDir = join(folder(), 'saved');
    const first = await open({ workers, saveDir });
    const { file, body, sha256 } = await first.copied('/a.rpm');
    rot(file, 3_000_000);
    await first.origin.stop();

    const { origin, copies, get } = await open({ workers, saveDir, scrubRate: '1 GiB' });
    origin.offer('/a.rpm', undefined, { bytes: body });
    await until(() => copies().length === 0);
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
    await until(() => copies().length === 1);
  });
});

describe('copies that are not checked (check_copies: no)', () => {
  it('are sent as they are, and never called verified', async () => {
    const { origin, copied, get } = await open({ checkCopies: false });
    for (const [path, size] of [
      ['/large.rpm', undefined],
      ['/small.rpm', 1000],
    ] as const) {
      const { file, body } = await copied(path, size);
      const before = origin.served(path);
      rot(file, 500);
      const whole = await get(path);
      expect(whole.status).toBe(200);
      expect(whole.body.equals(Buffer.from(body.map((byte, at) => (at === 500 ? byte ^ 1 : byte))))).toBe(true);
      const line = (await origin.logged(path, before + 1)).at(-1);
      expect(line).toMatchObject({ source: 'saved', outcome: 'complete', bytes: body.length });
      expect(line).not.toHaveProperty('verified');
    }
  });

  it('are verified before they are sent if their time has changed', async () => {
    const { origin, copied, get } = await open({ checkCopies: false });
    const { file, sha256 } = await copied('/a.rpm', 1000);
    rot(file, 500);
    utimesSync(file, 1, 1);
    expect(await get('/a.rpm')).toMatchObject({ status: 200, sha256 });
    expect(wholes(origin, '/a.rpm')).toBe(2);
  });

  it('are not cut into slices for a cache', async () => {
    const { copied, get } = await open({ checkCopies: false });
    const { sha256 } = await copied('/a.rpm');
    const slice = await get('/a.rpm', { Range: 'bytes=0-99', 'Pulp-Stream-Slice': 'true' });
    expect(slice).toMatchObject({ status: 200, sha256 });
  });
});
