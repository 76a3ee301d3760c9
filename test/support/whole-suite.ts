import { createHash, randomBytes } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuiltFile, builtFiles, compress, makeSuiteRepository, run, write, writeRelease } from './repositories.ts';

const SUITE = 'zoo';
const INDEX = `dists/${SUITE}/main/binary-amd64/Packages`;
const IMAGES = `dists/${SUITE}/main/installer-amd64/current/images`;

const digest = (algorithm: string, content: string | Uint8Array): string =>
  createHash(algorithm).update(content).digest('hex');

/** A source package of upstream's archive and Debian's changes. */
const makeSource = (base: string): void => {
  const work = join(base, '.source');
  const tree = join(work, 'bear-4.1');
  write(join(tree, 'bear.c'), 'int main(void) { return 0; }\n');
  run('tar', ['-czf', 'bear_4.1.orig.tar.gz', 'bear-4.1'], work);
  const files = {
    control:
      'Source: bear\nMaintainer: Nobody <nobody@example.com>\n\nPackage: bear\nArchitecture: all\nDescription: bear\n',
    changelog:
      'bear (4.1-1) zoo; urgency=low\n\n  * New.\n\n -- Nobody <nobody@example.com>  Wed, 01 Jan 2020 00:00:00 +0000\n',
    rules: '#!/usr/bin/make -f\n%:\n',
    'source/format': '3.0 (quilt)\n',
  };
  for (const [name, content] of Object.entries(files)) write(join(tree, 'debian', name), content);
  run('dpkg-source', ['--build', 'bear-4.1'], work);
  const pool = join(base, 'pool/main');
  for (const { path } of builtFiles(work).filter(({ path }) => path.startsWith('bear_')))
    cpSync(join(work, path), join(pool, path));
  rmSync(work, { recursive: true });
  const sources = join(base, `dists/${SUITE}/main/source/Sources`);
  write(sources, run('apt-ftparchive', ['sources', 'pool/main'], base));
  compress(sources, 'xz');
  compress(sources, 'gz');
};

const release = (base: string): void => {
  rmSync(join(base, `dists/${SUITE}/Release`), { force: true });
  const fields = { Suite: SUITE, Codename: SUITE, Components: 'main', Architectures: 'amd64' };
  writeRelease(base, `dists/${SUITE}`, { ...fields, 'Acquire-By-Hash': 'no', 'Patterns::': '*' });
};

/** A stanza that does not compress well. Its package does not exist. */
const aGhost = (name: string): string =>
  `\nPackage: ${name}\nVersion: 1\nArchitecture: all\nFilename: pool/main/${name}.deb\nSize: 1\nSHA256: ${randomBytes(32).toString('hex')}\n`;

const writePackages = (base: string, content: string): void => {
  for (const suffix of ['', '.gz', '.xz']) rmSync(join(base, `${INDEX}${suffix}`), { force: true });
  write(join(base, INDEX), content);
  compress(join(base, INDEX), 'gz');
  compress(join(base, INDEX), 'xz');
};

/**
 * A suite with all that clients ask for: a package and its source, translations, contents, and an
 * image of the installer. `ghosts`: packages that only its index has.
 */
export const makeWholeSuite = (base: string, { ghosts = 0 } = {}): BuiltFile[] => {
  makeSuiteRepository(base, [{ name: 'bear', version: '4.1', size: 20_000 }], {
    suite: SUITE,
    compressions: ['plain'],
  });
  makeSource(base);
  const more = Array.from({ length: ghosts }, (_, index) => aGhost(`ghost${index}`));
  writePackages(base, `${readFileSync(join(base, INDEX), 'utf8').trimEnd()}\n${more.join('')}`);
  const translation = join(base, `dists/${SUITE}/main/i18n/Translation-en`);
  write(translation, `Package: bear\nDescription-md5: ${digest('md5', 'bear\n')}\nDescription-en: bear\n`);
  compress(translation, 'xz');
  const contents = join(base, `dists/${SUITE}/main/Contents-amd64`);
  write(contents, 'usr/share/bear/payload  main/bear\n');
  compress(contents, 'gz');
  const image = randomBytes(30_000);
  write(join(base, IMAGES, 'netboot/mini.iso'), image);
  for (const [list, algorithm] of [
    ['MD5SUMS', 'md5'],
    ['SHA256SUMS', 'sha256'],
  ] as const)
    writeFileSync(join(base, IMAGES, list), `${digest(algorithm, image)}  ./netboot/mini.iso\n`);
  release(base);
  return builtFiles(base);
};

const PATCH = 'T-2020-01-01';

/** The next state of the same suite: one more package, and the patch from the state before. */
export const addPackage = (base: string): void => {
  const before = readFileSync(join(base, INDEX), 'utf8');
  const now = before + aGhost('newcomer');
  writePackages(base, now);
  // The lines of `ed` that add the new ones at the end.
  const added = now.slice(before.length);
  const patch = `${before.split('\n').length - 1}a\n${added}.\n`;
  const packed = gzipSync(patch);
  const line = (content: string | Uint8Array, name = '') =>
    ` ${digest('sha256', content)} ${content.length}${name && ` ${name}`}\n`;
  write(join(base, `${INDEX}.diff/${PATCH}.gz`), packed);
  write(
    join(base, `${INDEX}.diff/Index`),
    `SHA256-Current:${line(now)}SHA256-History:\n${line(before, PATCH)}SHA256-Patches:\n${line(patch, PATCH)}` +
      `SHA256-Download:\n${line(packed, `${PATCH}.gz`)}`,
  );
  release(base);
};
