import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { receive } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { itNeeding, makeYumRepository, YUM_TOOLS } from '../support/repositories.ts';
import { SIGNING_TOOLS, signing } from '../support/signing.ts';
import { makeSite } from '../support/site.ts';
import { temporaryFolders as foldersOfFile } from '../support/temporary.ts';

const start = processes();
const folder = temporaryFolders();
const { makeKey, detached } = signing(foldersOfFile());

describe('the daemon', () => {
  itNeeding([...YUM_TOOLS, ...SIGNING_TOOLS])(
    'takes only revisions that are signed, if a keyring says so',
    async () => {
      const [feed, key] = [folder(), makeKey('Zoo <zoo@example.com>')];
      const repomd = join(feed, 'repodata/repomd.xml');
      const sign = () => writeFileSync(`${repomd}.asc`, detached(readFileSync(repomd), [key]));
      makeYumRepository(feed, [{ name: 'bear', version: '1', size: 9 }]);
      sign();
      const site = makeSite(start, folder());
      await site.run('catalog', 'import', 'yum', feed, '--prefix', '/y', '--keyring', key.armoured, '--every', '1h');
      const by = `signed by Zoo <zoo@example.com> (key ${key.fingerprint})`;
      expect(await site.run('catalog', 'list')).toContain(by);

      makeYumRepository(feed, [{ name: 'bear', version: '2', size: 9 }]);
      const catalog = openSqliteCatalog(join(site.stateDir, 'catalog.db'));
      for (const repository of catalog.repositories.list()) catalog.repositories.save({ ...repository, succeeded: 1 });
      catalog.close();
      const daemon = await site.serve();
      const [line] = await daemon.logged('repository not refreshed, retrying', { prefix: '/y' });
      expect(line?.error).toContain('repodata/repomd.xml: not signed by a key of');
      // The revision before is still there, and so is its package.
      expect(await receive(`${daemon.url}/y/bear-1-1.noarch.rpm`)).toMatchObject({ status: 200 });
      expect((await receive(`${daemon.url}/y/bear-2-1.noarch.rpm`)).status).toBe(404);
      const listed = await site.run('catalog', 'list');
      expect(listed).toContain('failed: repodata/repomd.xml: not signed by a key of');
      expect(listed).toContain('next try 20');
      expect(listed).toContain(by);

      sign();
      expect(await site.run('catalog', 'refresh')).toContain('revision 2');
      expect((await receive(`${daemon.url}/y/bear-2-1.noarch.rpm`)).status).toBe(200);
      expect((await daemon.stop()).status).toBe(0);
    },
  );

  itNeeding([...YUM_TOOLS, ...SIGNING_TOOLS])(
    'follows a feed that must be signed, and serves nothing else of it',
    async () => {
      const [feed, key] = [folder(), makeKey('Owl <owl@example.com>')];
      const repomd = join(feed, 'repodata/repomd.xml');
      makeYumRepository(feed, [{ name: 'bear', version: '1', size: 9 }]);
      writeFileSync(join(feed, 'README'), 'not signed');
      // A busy machine reads it late, and the first clients wait for half of that.
      const site = makeSite(start, folder(), { metadata_max_age: 0, answer_timeout: 300 });
      await site.run('catalog', 'follow', 'yum', feed, '--prefix', '/y', '--keyring', key.keyring);
      const daemon = await site.serve();
      const status = async (path: string) => (await receive(`${daemon.url}/y/${path}`)).status;
      expect(await status('repodata/repomd.xml')).toBe(503);
      expect(await status('bear-1-1.noarch.rpm')).toBe(503);
      const [unread] = JSON.parse(await site.run('catalog', 'list', '--json'));
      expect(unread).toMatchObject({ error: expect.stringContaining('is not signed'), signedBy: [] });

      writeFileSync(`${repomd}.asc`, detached(readFileSync(repomd), [key]));
      expect(await status('repodata/repomd.xml')).toBe(200);
      expect(await status('bear-1-1.noarch.rpm')).toBe(200);
      expect(await status('README')).toBe(404);
      const [repository] = JSON.parse(await site.run('catalog', 'list', '--json'));
      expect(repository).toMatchObject({ follows: true, signedBy: [{ key: key.fingerprint }] });
      expect((await daemon.stop()).status).toBe(0);
    },
  );
});
