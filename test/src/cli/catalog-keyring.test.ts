import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { DEB_TOOLS, itNeeding, makeSuiteRepository, write, writeRelease } from '../../support/repositories.ts';
import { SIGNING_TOOLS, signing, type TestKey } from '../../support/signing.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const itSigned = itNeeding([...DEB_TOOLS, ...SIGNING_TOOLS]);
const { makeKey, inline } = signing(newFolder);

/** A suite whose InRelease can be signed again, and the commands for a catalog. */
const aSuite = () => {
  const folder = newFolder();
  makeSuiteRepository(folder, [{ name: 'bear', version: '4.1', size: 1 }]);
  const suite = join(folder, 'dists/stable');
  const sign = (keys: readonly TestKey[], fields: Readonly<Record<string, string>> = {}): string => {
    rmSync(join(suite, 'InRelease'), { force: true });
    writeRelease(folder, 'dists/stable', { Suite: 'stable', ...fields });
    const message = inline(readFileSync(join(suite, 'Release')), keys);
    rmSync(join(suite, 'Release'));
    write(join(suite, 'InRelease'), message);
    return message;
  };
  const state = newFolder();
  const cli = makeCatalogCli(state);
  const add = (...options: readonly string[]) =>
    cli.run('catalog', 'import', 'deb', folder, '--prefix', '/d', '--suite', 'stable', ...options);
  const listed = async () => JSON.parse((await cli.run('catalog', 'list', '--json')).out)[0];
  const revision = async () => JSON.parse((await cli.run('catalog', 'list', '/d', '--json')).out)[0].revision;
  return { ...cli, file: join(state, 'catalog.db'), suite, sign, add, listed, revision };
};

describe('an import with a keyring', () => {
  itSigned('takes what is signed, and shows by whom', async () => {
    const { sign, add, run, listed } = aSuite();
    const key = makeKey('Zoo <zoo@example.com>');
    sign([key]);
    const result = JSON.parse((await add('--keyring', relative(process.cwd(), key.armoured), '--json')).out);
    const signers = [{ name: 'Zoo <zoo@example.com>', key: key.fingerprint }];
    expect(result).toMatchObject({ packages: 1, signature: { signers } });
    expect(await listed()).toMatchObject({ signedBy: signers, keyring: key.armoured });
    expect((await run('catalog', 'list')).out.trim().split('\t').at(-1)).toBe(
      `signed by Zoo <zoo@example.com> (key ${key.fingerprint})`,
    );
    expect((await run('catalog', 'refresh')).out).toContain('unchanged');
    expect(await listed()).toMatchObject({ signedBy: signers });
  });

  itSigned('keeps the revision before if a refresh finds a bad signature, and says so', async () => {
    const { sign, add, run, listed, revision, suite } = aSuite();
    const [key, other] = [makeKey('Bear <bear@example.com>'), makeKey('Wolf <wolf@example.com>')];
    sign([key]);
    await add('--keyring', key.keyring);
    const changed = sign([key], { Origin: 'zoo' }).replace('Origin: zoo', 'Origin: moo');
    writeFileSync(join(suite, 'InRelease'), changed);
    await expect(run('catalog', 'refresh')).rejects.toThrow('1 of 1 repositories could not be refreshed');
    expect(await listed()).toMatchObject({
      error: expect.stringContaining('dists/stable/InRelease: not signed by a key of'),
      signedBy: [{ key: key.fingerprint }],
    });
    expect(await revision()).toBe(1);

    sign([other]);
    await expect(run('catalog', 'refresh')).rejects.toThrow('1 of 1');
    expect((await listed()).error).toContain(`key ${other.fingerprint.slice(-16)}, which is not in the keyring`);

    sign([key, other], { Origin: 'zoo' });
    expect((await run('catalog', 'refresh')).out).toContain('revision 2');
    expect(await listed()).not.toHaveProperty('error');
  });

  itSigned('is made again by one with other keys, or without any', async () => {
    const { sign, add, run, listed, revision } = aSuite();
    const [key, other] = [makeKey('Owl <owl@example.com>'), makeKey('Cat <cat@example.com>')];
    sign([key, other]);
    await add('--keyring', key.keyring);
    await add('--keyring', other.keyring);
    expect(await listed()).toMatchObject({ signedBy: [{ key: other.fingerprint }] });
    // Other keys in the same file.
    writeFileSync(other.keyring, readFileSync(key.keyring));
    expect((await run('catalog', 'refresh')).out).toContain('revision 3');
    expect(await listed()).toMatchObject({ signedBy: [{ key: key.fingerprint }] });
    await add();
    expect(await listed()).toMatchObject({ signedBy: [] });
    expect(await listed()).not.toHaveProperty('keyring');
    expect((await run('catalog', 'list')).out.trim().split('\t').at(-1)).toBe('unsigned');
    expect(await revision()).toBe(4);
  });

  itSigned('warns of metadata that is older than that of the revision before', async () => {
    const { sign, add } = aSuite();
    const key = makeKey('Ape <ape@example.com>');
    sign([key], { Date: 'Sat, 03 Aug 2024 20:05:07 UTC' });
    await add('--keyring', key.keyring);
    sign([key], { Date: 'Fri, 02 Aug 2024 20:05:07 UTC' });
    expect((await add('--keyring', key.keyring)).err).toContain(
      'of 2024-08-02T20:05:07.000Z, older than that of the revision before (2024-08-03T20:05:07.000Z)',
    );
  });

  itSigned('reads an unchanged repository again once its signature no longer counts', async () => {
    const { sign, add, run, file } = aSuite();
    const key = makeKey('Elk <elk@example.com>');
    sign([key], { ValidTime: '86400' });
    await add('--keyring', key.keyring);
    expect((await run('catalog', 'refresh')).out).toContain('unchanged');
    const catalog = openSqliteCatalog(file);
    for (const repository of catalog.repositories.list()) {
      const { signature } = repository;
      expect(signature?.until).toBeGreaterThan(Date.now() / 1000);
      if (signature) catalog.repositories.save({ ...repository, signature: { ...signature, until: 1 } });
    }
    catalog.close();
    expect((await run('catalog', 'refresh')).out).toContain('revision 2');
  });
});

it.each([
  [['files', '.', '--keyring', 'k'], '--keyring: a repository of type files has no signature, expected yum or deb'],
  [['yum', '.', '--keyring', 'k', '--list', 'SUMS'], '--keyring with --list: no signature covers'],
  [['yum', '.', '--keyring', '/none/k'], 'keyring /none/k: no such file'],
])('refuses %j', async (args, text) => {
  const { run } = makeCatalogCli(newFolder());
  await expect(run('catalog', 'import', ...args, '--prefix', '/p')).rejects.toThrow(text);
});
