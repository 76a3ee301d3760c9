import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect } from '@jest/globals';
import { deb } from '../../../../src/repositories/deb.ts';
import type { Signer } from '../../../../src/repositories/format.ts';
import { yum } from '../../../../src/repositories/yum.ts';
import { readFiles, sha256 } from '../../../support/importing.ts';
import { itNeeding } from '../../../support/repositories.ts';
import { SIGNING_TOOLS, signing, type TestKey } from '../../../support/signing.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const itSigned = itNeeding(SIGNING_TOOLS);
const { makeKey, revoke, inline, detached } = signing(newFolder);

const ZOO = 'Zoo Ä <zoo@example.com>';
const made = new Map<string, TestKey>();
/** The same key for all tests. */
const keyOf = (name: string): TestKey => {
  const key = made.get(name) ?? makeKey(name);
  made.set(name, key);
  return key;
};
const signerOf = ({ name, fingerprint }: TestKey): Signer => ({ name, key: fingerprint });

const PACKAGES = `Package: bear\nVersion: 1\nFilename: pool/bear.deb\nSize: 5\nSHA256: ${sha256('bear')}\n`;
const release = (fields = '', packages = PACKAGES): string =>
  `Suite: stable\nDate: Sat, 03 Aug 2024 20:05:07 UTC\n${fields}SHA256:\n ${sha256(packages)} ${packages.length} main/binary-amd64/Packages\n`;
const suite = (files: Readonly<Record<string, string>>) => ({
  'dists/stable/main/binary-amd64/Packages': PACKAGES,
  ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`dists/stable/${name}`, content])),
});
const readSuite = (files: Readonly<Record<string, string>>, keyring: string) =>
  readFiles(deb, suite(files), { suites: ['stable'] }, { keyring });

const PRIMARY = gzipSync('<metadata packages="0"/>');
const REPOMD = `<repomd><data type="primary"><checksum type="sha256">${sha256(PRIMARY)}</checksum>
  <timestamp>1700000000</timestamp><location href="repodata/primary.xml.gz"/></data></repomd>`;
const readYum = (files: Readonly<Record<string, string>>, keyring: string) =>
  readFiles(yum, { 'repodata/repomd.xml': REPOMD, 'repodata/primary.xml.gz': PRIMARY, ...files }, {}, { keyring });

const DATE = Date.parse('2024-08-03T20:05:07Z') / 1000;

describe('a signature', () => {
  itSigned('is around the text of InRelease', async () => {
    const key = keyOf(ZOO);
    const { items, signatures } = await readSuite({ InRelease: inline(release(), [key]) }, key.keyring);
    expect(signatures).toEqual([{ signers: [signerOf(key)], date: DATE }]);
    expect(items.map(({ path }) => path)).toContain('pool/bear.deb');
  });

  itSigned('is about the text that gpgv prints, however the message is written', async () => {
    const key = keyOf(ZOO);
    // The empty line before the text may have spaces in it.
    const InRelease = inline(release(), [key]).replace('\n\n', '\n \t\n');
    const { items } = await readSuite({ InRelease }, key.keyring);
    expect(items.map(({ path }) => path)).toContain('pool/bear.deb');
  });

  itSigned('of Release is in Release.gpg', async () => {
    const key = keyOf(ZOO);
    const files = { Release: release(), 'Release.gpg': detached(release(), [key]) };
    const { items, signatures } = await readSuite(files, key.keyring);
    expect(signatures).toEqual([{ signers: [signerOf(key)], date: DATE }]);
    expect(items.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['dists/stable/Release', 'dists/stable/Release.gpg', 'pool/bear.deb']),
    );
  });

  itSigned('of repomd.xml is in repomd.xml.asc', async () => {
    const key = keyOf(ZOO);
    const { signatures } = await readYum({ 'repodata/repomd.xml.asc': detached(REPOMD, [key]) }, key.keyring);
    expect(signatures).toEqual([{ signers: [signerOf(key)], date: 1_700_000_000 }]);
  });

  itSigned('is checked with keys that are binary, armoured, several, or in a keybox', async () => {
    const [key, other] = [keyOf(ZOO), keyOf('Other <other@example.com>')];
    const several = join(newFolder(), 'several.asc');
    writeFileSync(several, `keys\n${readFileSync(other.armoured)}\n${readFileSync(key.armoured)}`);
    for (const keyring of [key.keyring, key.armoured, key.keybox, several]) {
      const { signatures } = await readSuite({ InRelease: inline(release(), [key]) }, keyring);
      expect(signatures).toMatchObject([{ signers: [signerOf(key)] }]);
    }
  });

  itSigned('by one key of the keyring suffices, of several signatures', async () => {
    const [key, other] = [keyOf(ZOO), keyOf('Other <other@example.com>')];
    const InRelease = inline(release(), [other, key]);
    expect((await readSuite({ InRelease }, key.keyring)).signatures).toMatchObject([{ signers: [signerOf(key)] }]);
    const both = join(newFolder(), 'both.gpg');
    writeFileSync(both, Buffer.concat([readFileSync(key.keyring), readFileSync(other.keyring)]));
    expect((await readSuite({ InRelease }, both)).signatures).toMatchObject([
      { signers: [signerOf(other), signerOf(key)] },
    ]);
  });

  itSigned('decides which text counts: an unsigned Release beside it is not read', async () => {
    const key = keyOf(ZOO);
    const files = { InRelease: inline(release(), [key]), Release: release('', 'Package: wolf\n') };
    expect((await readSuite(files, key.keyring)).items.map(({ path }) => path)).toContain('pool/bear.deb');
  });

  itSigned('counts if only the key itself was signed with a weak digest, as old keys are', async () => {
    const key = makeKey('Aurochs <aurochs@example.com>', { args: ['--cert-digest-algo', 'SHA1'] });
    const { signatures } = await readSuite({ InRelease: inline(release(), [key]) }, key.keyring);
    expect(signatures).toMatchObject([{ signers: [signerOf(key)] }]);
  });

  itSigned('counts until it expires, or until Valid-Until if that is earlier', async () => {
    const key = keyOf(ZOO);
    const fields = 'Valid-Until: Fri, 03 Aug 2125 20:05:07 UTC\n';
    const read = (text: string, args: readonly string[]) =>
      readSuite({ InRelease: inline(text, [key], { args }) }, key.keyring);
    const expiring = (await read(release(fields), ['--default-sig-expire', '2d'])).signatures[0]?.until ?? 0;
    expect(expiring * 1000).toBeGreaterThan(Date.now());
    expect(expiring * 1000).toBeLessThan(Date.now() + 3 * 86_400_000);
    expect((await read(release(fields), [])).signatures[0]?.until).toBe(Date.parse('2125-08-03T20:05:07Z') / 1000);
  });

  itSigned('leaves nothing behind in the folder for temporary files', async () => {
    const key = keyOf(ZOO);
    const own = () => readdirSync(tmpdir()).filter((name) => /^pulp-streamer-gpgv-/.test(name));
    const before = own();
    await readSuite({ InRelease: inline(release(), [key]) }, key.keyring);
    expect(own()).toEqual(before);
  });
});

describe('a repository is refused', () => {
  const refused = async (reading: Promise<unknown>, ...texts: readonly string[]): Promise<void> => {
    const error = await reading.then(
      () => new Error('not refused'),
      (error: Error) => error,
    );
    for (const text of texts) expect(error.message).toContain(text);
  };

  itSigned('without a signature', async () => {
    const { keyring } = keyOf(ZOO);
    const expected = `is not signed, expected InRelease, or Release and Release.gpg, signed by a key of ${keyring}`;
    await refused(readSuite({ Release: release() }, keyring), `https://test/repo/dists/stable/: ${expected}`);
    await refused(readSuite({}, keyring), expected);
    await refused(readFiles(deb, { Packages: PACKAGES }, {}, { keyring }), expected);
    await refused(readYum({}, keyring), 'repodata/repomd.xml: is not signed, expected repodata/repomd.xml.asc');
    await refused(readSuite({ InRelease: release() }, keyring), 'dists/stable/InRelease', 'clear-signed message');
    await refused(readSuite({ Release: release(), 'Release.gpg': 'none' }, keyring), 'Release.gpg has no OpenPGP');
  });

  itSigned('if its key is not in the keyring', async () => {
    const [key, other] = [keyOf(ZOO), keyOf('Other <other@example.com>')];
    const reading = readSuite({ InRelease: inline(release(), [key]) }, other.keyring);
    const id = key.fingerprint.slice(-16);
    await refused(
      reading,
      'dists/stable/InRelease: not signed by a key of',
      other.keyring,
      `key ${id}`,
      'not in the keyring',
    );
  });

  itSigned('if it was changed after it was signed', async () => {
    const key = keyOf(ZOO);
    const texts = ['does not match', key.fingerprint.slice(-16), ZOO];
    const InRelease = inline(release(), [key]).replace('Suite: stable', 'Suite: stabled');
    await refused(readSuite({ InRelease }, key.keyring), ...texts);
    const files = { Release: release(), 'Release.gpg': detached(`${release()} `, [key]) };
    await refused(readSuite(files, key.keyring), 'dists/stable/Release: ', ...texts);
    const asc = detached(`${REPOMD} `, [key]);
    await refused(readYum({ 'repodata/repomd.xml.asc': asc }, key.keyring), 'repodata/repomd.xml: ', ...texts);
  });

  itSigned('if text or another message is around what is signed', async () => {
    const key = keyOf(ZOO);
    const message = inline(release(), [key]);
    const others = [
      `Suite: other\n${message}`,
      `${message}Suite: other\n`,
      message + message,
      inline(release(), [keyOf('Other <other@example.com>')]) + message,
    ];
    for (const InRelease of others)
      await refused(readSuite({ InRelease }, key.keyring), 'not one clear-signed message, with nothing around it');
  });

  itSigned('if its signature or its key has expired', async () => {
    const key = keyOf('Old <old@example.com>');
    const at = '20200101T000000';
    const old = makeKey('Brief <brief@example.com>', { at, lasts: '10d' });
    await refused(readSuite({ InRelease: inline(release(), [old], { at }) }, old.keyring), 'has expired', old.name);
    const lasting = makeKey('Lasting <lasting@example.com>', { at });
    const InRelease = inline(release(), [lasting], { at, args: ['--default-sig-expire', '1d'] });
    await refused(readSuite({ InRelease }, lasting.keyring), 'the signature of', 'has expired', lasting.name);
    const Expired = inline(release('Valid-Until: Sat, 10 Aug 2024 20:05:07 UTC\n'), [key]);
    await refused(readSuite({ InRelease: Expired }, key.keyring), 'has expired, Valid-Until is Sat, 10 Aug 2024');
    const unreadable = inline(release('Valid-Until: soon\n'), [key]);
    await refused(readSuite({ InRelease: unreadable }, key.keyring), "Valid-Until: 'soon', expected a date");
  });

  itSigned('if its key was revoked', async () => {
    const key = makeKey('Dodo <dodo@example.com>');
    const InRelease = inline(release(), [key]);
    revoke(key);
    await refused(readSuite({ InRelease }, key.keyring), key.fingerprint.slice(-16), 'Dodo', 'was revoked');
  });

  itSigned('if the digest of its signature is too weak', async () => {
    const key = keyOf(ZOO);
    const InRelease = inline(release(), [key], { args: ['--digest-algo', 'SHA1', '--allow-weak-digest-algos'] });
    await refused(readSuite({ InRelease }, key.keyring), 'InRelease: not signed by a key of', 'too weak', key.name);
  });

  itSigned('if what is signed lists nothing, so nothing vouches for its packages', async () => {
    const key = keyOf(ZOO);
    const files = { InRelease: inline('Suite: flat\n', [key]), Packages: PACKAGES };
    await refused(readFiles(deb, files, {}, { keyring: key.keyring }), 'Release: lists no files');
  });

  itSigned('if one of its suites, or a repository inside its tree, is not signed', async () => {
    const { keyring, ...key } = keyOf(ZOO);
    const files = suite({ InRelease: inline(release(), [{ keyring, ...key }]) });
    await refused(readFiles(deb, files, { suites: ['stable', 'other'] }, { keyring }), 'dists/other/: is not signed');
    const inside = {
      'repodata/repomd.xml.asc': detached(REPOMD, [{ keyring, ...key }]),
      '.treeinfo': '[variant-extra]\nrepository = extra\n',
      'extra/repodata/repomd.xml': REPOMD,
    };
    await refused(readYum(inside, keyring), 'extra/repodata/repomd.xml: is not signed');
  });

  itSigned('if its signature cannot be checked', async () => {
    const key = keyOf(ZOO);
    const InRelease = inline(release(), [key]);
    const empty = join(newFolder(), 'empty.gpg');
    writeFileSync(empty, 'no keys');
    await refused(readSuite({ InRelease }, empty), `keyring ${empty}: has no keys, expected OpenPGP public keys`);
    await refused(readSuite({ InRelease }, `${empty}.gone`), `keyring ${empty}.gone: no such file`);
    const { PATH } = process.env;
    const folder = newFolder();
    process.env.PATH = folder;
    try {
      await refused(readSuite({ InRelease }, key.keyring), 'gpgv, which checks signatures, is not installed');
      writeFileSync(join(folder, 'gpgv'), '#!/bin/sh\necho gpgv: no memory >&2; exit 2', { mode: 0o755 });
      await refused(readSuite({ InRelease }, key.keyring), 'gpgv cannot check signatures: gpgv: no memory');
    } finally {
      process.env.PATH = PATH;
    }
  });
});
