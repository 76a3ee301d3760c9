import { createHash } from 'node:crypto';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { CACHES } from '../caches/caches.ts';
import { makeApt } from '../support/apt.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { type Origin, openOrigins } from '../support/origin.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { DEB_TOOLS, itNeeding, makeSuiteRepository } from '../support/repositories.ts';

const start = processes();
const folder = temporaryFolders();
const openOrigin = openOrigins();

const SUITE = 'zoo';
const DATE = new Date('2020-01-01');
const FIELDS = { 'Last-Modified': DATE.toUTCString() };

/** Offers all files of a Debian repository with one package, which differs each time. */
const offerRepository = (origin: Origin): Buffer => {
  const repository = join(folder(), 'debian');
  const packages = [{ name: 'bear', version: '4.1', size: 300_000 }];
  const files = makeSuiteRepository(repository, packages, { suite: SUITE, compressions: ['plain', 'gz', 'xz'] });
  for (const { path } of files)
    origin.offer(`/debian/${path}`, 0, { bytes: readFileSync(join(repository, path)), fields: FIELDS, ranges: true });
  return readFileSync(join(repository, files.find(({ path }) => path.endsWith('.deb'))?.path ?? ''));
};

/** A file and its previous version, which has most of its parts. */
const versions = () => {
  const old = someBytes(3 << 20);
  const now = Buffer.from(old);
  for (let at = 100_000; at < now.length; at += 700_000) someBytes(1000).copy(now, at);
  return { old, now };
};

describe.each(CACHES)('Behind $name', (cache) => {
  const open = async () => {
    const origin = await openOrigin();
    const { url } = await cache.start(start, folder(), origin.url);
    return { origin, url };
  };

  itNeeding([cache.program, ...DEB_TOOLS, 'apt-get'])(
    'apt gets the right package even if it has half of the previous one',
    async () => {
      const { origin, url } = await open();
      const before = offerRepository(origin);
      const home = folder();
      const apt = makeApt(start, home, `${url}/debian`, SUITE);
      const partial = join(home, 'cache/archives/partial/bear_4.1_all.deb');
      writeFileSync(partial, before.subarray(0, before.length / 2));
      utimesSync(partial, DATE, DATE);
      const now = offerRepository(origin);
      await apt.update();
      expect(await apt.install(['bear'])).toMatchObject([{ sha256: digestOf(now) }]);
    },
  );

  itNeeding([cache.program, 'zck', 'zckdl'])(
    'zckdl gets the right file from the previous one and some parts',
    async () => {
      const { origin, url } = await open();
      const home = folder();
      const { old, now } = versions();
      for (const [name, bytes] of Object.entries({ old, now })) {
        writeFileSync(join(home, name), bytes);
        await succeeded(start('zck', ['-o', `${name}.zck`, name], { cwd: home }));
      }
      const bytes = readFileSync(join(home, 'now.zck'));
      origin.offer('/file.zck', 0, { bytes, ranges: true });
      // Once before the file is kept and once after, if it is kept at all.
      for (const _ of [1, 2]) {
        const there = folder();
        const command = ['-s', join(home, 'old.zck'), `${url}/file.zck`];
        await succeeded(start('zckdl', command, { cwd: there, env: ownEnvironment() }));
        expect(digestOf(readFileSync(join(there, 'file.zck')))).toBe(digestOf(bytes));
      }
    },
  );

  itNeeding([cache.program, 'zsync', 'zsyncmake'])(
    'zsync gets the right file from the previous one and some parts',
    async () => {
      const { origin, url } = await open();
      const home = folder();
      const { old, now } = versions();
      for (const [name, bytes] of Object.entries({ old, now })) writeFileSync(join(home, name), bytes);
      await succeeded(start('zsyncmake', ['-u', `${url}/file`, '-o', 'file.zsync', 'now'], { cwd: home }));
      origin.offer('/file', 0, { bytes: now, ranges: true });
      for (const _ of [1, 2]) {
        const there = folder();
        const command = ['-q', '-i', join(home, 'old'), '-o', 'file', join(home, 'file.zsync')];
        await succeeded(start('zsync', command, { cwd: there, env: ownEnvironment() }));
        expect(
          createHash('sha256')
            .update(readFileSync(join(there, 'file')))
            .digest('hex'),
        ).toBe(digestOf(now));
      }
    },
  );
});
