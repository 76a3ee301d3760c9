import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { descriptorOf } from '../support/alternates.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();
const ZOO = join(import.meta.dirname, '../../examples/zoo');
const BEAR = 'Packages/bear-4.1-1.noarch.rpm';

/** A site with the zoo in its catalog, as a feed. */
const openZoo = async () => {
  const home = folder();
  const site = makeSite(start, home);
  await site.run('catalog', 'import', 'yum', ZOO, '--prefix', '/zoo');
  const conf = join(home, 'conf.d');
  return { site, conf };
};

describe('the daemon with alternate sources', () => {
  it('refreshes them in the background, follows their descriptors, and serves from them first', async () => {
    const { site, conf } = await openZoo();
    const daemon = await site.serve();
    writeFileSync(join(conf, 'disk.conf'), descriptorOf('disk', ZOO));
    const [refreshed] = await daemon.logged('alternate source refreshed');
    expect(refreshed).toMatchObject({ source: 'disk', units: 5 });
    expect((await fetch(`${daemon.url}/zoo/${BEAR}`)).status).toBe(200);
    const [request] = await daemon.logged('request');
    expect(request).toMatchObject({ source: 'alternate:disk', attempts: [{ source: 'alternate:disk' }] });
    rmSync(join(conf, 'disk.conf'));
    writeFileSync(join(conf, 'wrong.conf'), '[wrong]\nenabled: 1\n');
    const [problem] = await daemon.logged('alternate source invalid');
    expect(problem?.problem).toContain('wrong.conf:2: [wrong] type: is missing');
    await daemon.stop();
  });

  it('names a dead path and serves from the others', async () => {
    const { site, conf } = await openZoo();
    const daemon = await site.serve();
    writeFileSync(join(conf, 'disk.conf'), descriptorOf('disk', ZOO, { paths: '/ dead ../wrong' }));
    expect((await daemon.logged('alternate source invalid'))[0]?.problem).toContain('paths: ../wrong is left out');
    expect((await daemon.logged('path of an alternate source not refreshed, retrying'))[0]).toMatchObject({
      source: 'disk',
      path: 'dead/',
      error: expect.stringContaining('dead/repodata/repomd.xml: no such file'),
      retryInMs: expect.any(Number),
    });
    expect((await daemon.logged('alternate source refreshed'))[0]).toMatchObject({ source: 'disk', units: 5 });
    expect((await fetch(`${daemon.url}/zoo/${BEAR}`)).status).toBe(200);
    expect((await daemon.logged('request'))[0]).toMatchObject({ source: 'alternate:disk' });
    await daemon.stop();
  });

  it('reloads descriptors at SIGHUP, even if their folder did not exist before', async () => {
    const { site, conf } = await openZoo();
    rmSync(conf, { recursive: true });
    const daemon = await site.serve();
    mkdirSync(`${conf}.new`);
    writeFileSync(join(`${conf}.new`, 'disk.conf'), descriptorOf('disk', ZOO));
    renameSync(`${conf}.new`, conf);
    daemon.kill('SIGHUP');
    expect((await daemon.logged('alternate source refreshed'))[0]).toMatchObject({ source: 'disk' });
    const { status } = await daemon.stop();
    expect(status).toBe(0);
  });

  it('shares its catalog with the command line', async () => {
    const { site, conf } = await openZoo();
    const copy = folder();
    cpSync(ZOO, copy, { recursive: true });
    writeFileSync(join(conf, 'disk.conf'), descriptorOf('disk', copy));
    expect(await site.run('sources', 'refresh', 'disk')).toMatch(/^disk: 5 units until/);
    expect(await site.run('explain', `/zoo/${BEAR}`)).toContain(' 1. alternate:disk  file://');
    const daemon = await site.serve();
    await (await fetch(`${daemon.url}/zoo/${BEAR}`)).bytes();
    expect((await daemon.logged('request'))[0]).toMatchObject({ source: 'alternate:disk' });
    await daemon.stop();
  });
});
