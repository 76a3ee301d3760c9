import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { it } from '@jest/globals';
import { missingTools } from './tools.ts';

/** A package to build. Its content is random, so compression does not make it smaller. */
export interface PackageSpec {
  readonly name: string;
  readonly version: string;
  /** RPM only. */
  readonly release?: string;
  readonly epoch?: number;
  /** Bytes of the one file inside; the package is slightly larger. */
  readonly size: number;
}

/** A file of a repository as a client must receive it. */
export interface BuiltFile {
  /** Relative to the repository's base. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export const YUM_TOOLS = ['rpmbuild', 'createrepo_c', 'xz', 'zstd'] as const;
export const DEB_TOOLS = ['dpkg-deb', 'apt-ftparchive', 'xz', 'gzip'] as const;

/** `it` if the tools are installed; otherwise a skipped test with the reason in its name. */
export const itNeeding = (tools: readonly string[]): ((name: string, test: () => Promise<void> | void) => void) => {
  const missing = missingTools(tools);
  return missing.length === 0
    ? (name, test) => it(name, test)
    : (name, test) => it.skip(`${name} (skipped: needs ${missing.join(', ')})`, test);
};

export const run = (tool: string, args: readonly string[], cwd: string): Buffer =>
  execFileSync(tool, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });

export const write = (file: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
};

export const builtFile = (base: string, path: string): BuiltFile => {
  const content = readFileSync(join(base, path));
  return { path, sha256: createHash('sha256').update(content).digest('hex'), size: content.byteLength };
};

/** All files of a repository. */
export const builtFiles = (base: string): BuiltFile[] =>
  readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => builtFile(base, relative(base, join(entry.parentPath, entry.name))))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

const specOf = ({ name, version, release = '1', epoch, size }: PackageSpec): string => `
%global debug_package %{nil}
%global __os_install_post %{nil}
%define _binary_payload w.ufdio
%define _source_payload w.ufdio
Name: ${name}
${epoch === undefined ? '' : `Epoch: ${epoch}`}
Version: ${version}
Release: ${release}
Summary: ${name} for tests
License: Apache-2.0
BuildArch: noarch
%description
${name} of ${size} bytes.
%install
mkdir -p %{buildroot}/usr/share/${name}
head -c ${size} /dev/urandom > %{buildroot}/usr/share/${name}/payload
%files
/usr/share/${name}/payload
`;

/** Builds an RPM into a folder; with `source`, also its source package. */
export const buildRpm = (folder: string, spec: PackageSpec, { source = false } = {}): void => {
  const work = join(folder, `.build-${spec.name}`);
  const file = join(work, `${spec.name}.spec`);
  write(file, specOf(spec));
  const names = '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm';
  const defines = [`_topdir ${work}`, `_rpmdir ${folder}`, `_srcrpmdir ${folder}`, `_build_name_fmt ${names}`];
  const flags = defines.flatMap((define) => ['--define', define]);
  try {
    run('rpmbuild', ['--quiet', ...flags, source ? '-ba' : '-bb', file], folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

export type Compression = 'gz' | 'xz' | 'zst' | 'plain';

export const compress = (file: string, compression: Compression): string => {
  const folder = dirname(file);
  if (compression === 'gz') run('gzip', ['-kn', file], folder);
  if (compression === 'xz') run('xz', ['-k', file], folder);
  if (compression === 'zst') run('zstd', ['-q', file], folder);
  return compression === 'plain' ? file : `${file}.${compression}`;
};

/** Recompresses `primary`, because not every createrepo_c supports all compressions. */
const recompressPrimary = (folder: string, compression: Compression): void => {
  const repomd = join(folder, 'repodata/repomd.xml');
  const text = readFileSync(repomd, 'utf8');
  const [block = ''] = /<data type="primary">.*?<\/data>/s.exec(text) ?? [];
  const [, old = ''] = /href="([^"]+)"/.exec(block) ?? [];
  const plain = join(folder, 'repodata/primary.xml');
  writeFileSync(plain, gunzipSync(readFileSync(join(folder, old))));
  const made = builtFile(folder, relative(folder, compress(plain, compression)));
  rmSync(join(folder, old));
  if (compression !== 'plain') rmSync(plain);
  const changed = block
    .replace(old, made.path)
    .replace(/(<checksum type="sha256">)[0-9a-f]+/, `$1${made.sha256}`)
    .replace(/<size>\d+/, `<size>${made.size}`);
  writeFileSync(repomd, text.replace(block, changed));
};

/** Indexes the RPMs of a folder with createrepo_c. */
export const indexYum = (folder: string, compression: Compression = 'gz'): void => {
  run('createrepo_c', ['--quiet', '--no-database', '.'], folder);
  if (compression !== 'gz') recompressPrimary(folder, compression);
};

/** A yum repository of newly built packages; with `source`, also their source packages. */
export const makeYumRepository = (
  folder: string,
  packages: readonly PackageSpec[],
  options: { readonly compression?: Compression; readonly source?: boolean } = {},
): BuiltFile[] => {
  mkdirSync(folder, { recursive: true });
  for (const spec of packages) buildRpm(folder, spec, { source: options.source ?? false });
  indexYum(folder, options.compression);
  return builtFiles(folder);
};

/** Builds a .deb for all architectures. */
export const buildDeb = (folder: string, { name, version, size, epoch }: PackageSpec): void => {
  const work = join(folder, `.build-${name}`);
  const full = epoch === undefined ? version : `${epoch}:${version}`;
  write(
    join(work, 'DEBIAN/control'),
    `Package: ${name}\nVersion: ${full}\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\n` +
      `Description: ${name} for tests\n Several lines,\n so that there are continuations.\n`,
  );
  write(join(work, `usr/share/${name}/payload`), randomBytes(size));
  try {
    run(
      'dpkg-deb',
      ['--build', '--root-owner-group', '-Znone', work, join(folder, `${name}_${version}_all.deb`)],
      folder,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const indexPackages = (base: string, packages: string, folder: string, compressions: readonly Compression[]): void => {
  const file = join(base, folder, 'Packages');
  write(file, run('apt-ftparchive', ['packages', packages], base));
  for (const compression of compressions) compress(file, compression);
  if (!compressions.includes('plain')) rmSync(file);
};

/** Writes the Release file of a folder: `Patterns::` is which files it lists. */
export const writeRelease = (base: string, folder: string, fields: Readonly<Record<string, string>>): void => {
  const options = Object.entries(fields).flatMap(([name, value]) => [
    '-o',
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  const release = run('apt-ftparchive', [...options, 'release', '.'], join(base, folder));
  write(join(base, folder, 'Release'), release);
};

/** A Debian repository with `pool/` and one suite below `dists/`. */
export const makeSuiteRepository = (
  base: string,
  packages: readonly PackageSpec[],
  options: { readonly suite?: string; readonly compressions?: readonly Compression[] } = {},
): BuiltFile[] => {
  const { suite = 'stable', compressions = ['gz', 'xz'] } = options;
  const pool = join(base, 'pool/main');
  mkdirSync(pool, { recursive: true });
  for (const spec of packages) buildDeb(pool, spec);
  indexPackages(base, 'pool/main', `dists/${suite}/main/binary-amd64`, compressions);
  writeRelease(base, `dists/${suite}`, { Suite: suite, Codename: suite, Components: 'main', Architectures: 'amd64' });
  return builtFiles(base);
};

/**
 * A flat Debian repository: packages, `Packages` and, unless `release` is false, `Release` in one
 * folder.
 */
export const makeFlatRepository = (
  base: string,
  packages: readonly PackageSpec[],
  options: { readonly compressions?: readonly Compression[]; readonly release?: boolean } = {},
): BuiltFile[] => {
  mkdirSync(base, { recursive: true });
  for (const spec of packages) buildDeb(base, spec);
  indexPackages(base, '.', '.', options.compressions ?? ['plain', 'gz']);
  if (options.release ?? true) writeRelease(base, '.', { Suite: 'flat' });
  return builtFiles(base);
};

/** A folder of files with a PULP_MANIFEST. */
export const makeFilesRepository = (
  base: string,
  contents: Readonly<Record<string, string | Uint8Array>>,
): BuiltFile[] => {
  for (const [name, content] of Object.entries(contents)) write(join(base, name), content);
  const listed = Object.keys(contents).map((name) => builtFile(base, name));
  write(
    join(base, 'PULP_MANIFEST'),
    listed.map(({ path, sha256, size }) => `${/^#|,/.test(path) ? `"${path}"` : path},${sha256},${size}\n`).join(''),
  );
  return builtFiles(base);
};
