import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { generate, serveGenerated } from '../support/generated.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { tinyDisk } from '../support/tiny-disk.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const CONTENT = generate(1, 1000);

/** A site with one entry, whose daemon has run before. */
const open = async (home: string, settings: Record<string, string | number> = {}) => {
  const feed = await startFeed(serveGenerated(new Map([['/x', CONTENT]])));
  const [admin = 0] = await freePorts(1);
  const site = makeSite(start, folder(), { ...settings, state_dir: join(home, 'state'), admin_port: admin });
  await site.run('catalog', 'add', '/x', `${feed.url}/x`);
  expect(await (await site.serve()).stop()).toMatchObject({ status: 0 });
  const readyz = async () => {
    const response = await fetch(`http://127.0.0.1:${admin}/readyz`);
    return [response.status, await response.text()];
  };
  const body = async (url: string) => Buffer.from(await (await fetch(`${url}/x`)).arrayBuffer());
  return { site, stateDir: join(home, 'state'), readyz, body };
};

describe('a damaged outbox', () => {
  it('is put aside with a date, named in readyz and the log, and a new one takes its place', async () => {
    const { site, stateDir, readyz, body } = await open(folder());
    const damaged = 'x'.repeat(10_000);
    writeFileSync(join(stateDir, 'outbox.db'), damaged);
    const daemon = await site.serve();
    await daemon.logged('degraded, serving continues', { subject: 'damaged outbox' });
    const aside = readdirSync(stateDir).filter((name) => /^outbox\.db\.damaged-\d{4}-\d\d-\d\dT[\d.-]+Z$/.test(name));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(stateDir, aside[0] ?? ''), 'utf8')).toBe(damaged);
    expect(await readyz()).toEqual([200, expect.stringMatching(/^ready\ndamaged outbox: .*outbox\.db\.damaged-/)]);
    expect(await body(daemon.url)).toEqual(CONTENT.block(0));
    await daemon.logged('saved', { path: '/x' });
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });
});

const disk = tinyDisk();
disk?.free();
(disk ? describe : describe.skip)('a state folder on a disk that is', () => {
  it.each([
    ['full', (at: string) => fill(join(at, 'fill')), (at: string) => rmSync(join(at, 'fill')), []],
    ['read-only', (at: string) => remount(at, 'ro'), (at: string) => remount(at, 'rw'), ['state folder']],
  ])('%s is served from, and saved to as soon as that is possible', async (_, refuse, permit, owned) => {
    const tiny = tinyDisk(2);
    const home = tiny?.folder ?? '';
    try {
      const { site, readyz, body } = await open(home);
      refuse(home);
      const daemon = await site.serve();
      await daemon.logged('degraded, serving continues', { subject: 'outbox' });
      expect(await body(daemon.url)).toEqual(CONTENT.block(0));
      const [status, text] = await readyz();
      expect(status).toBe(200);
      expect(text).toContain('\ncatalog: can only be read: ');
      expect(text).toContain('\noutbox: ');
      permit(home);
      for (const subject of ['outbox', 'catalog', ...owned]) await daemon.logged('works again', { subject });
      await daemon.logged('saved', { path: '/x' });
      // It owns its folder by now.
      expect((await site.start('serve').ended).stderr).toContain('state_dir: another pulp-streamer is using ');
      await site.run('catalog', 'add', '/y', 'http://127.0.0.1:1/y');
      expect((await fetch(`${daemon.url}/y`)).status).toBe(502);
      expect((await daemon.stop()).status).toBe(0);
    } finally {
      tiny?.free();
    }
  });
});

const fill = (file: string) => {
  try {
    for (let size = 64 * 1024; ; size *= 2) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
};

const remount = (at: string, how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, at]);
