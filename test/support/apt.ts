import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownEnvironment, type Start, succeeded } from './processes.ts';
import { builtFiles } from './repositories.ts';

/** An apt that uses only one suite of a repository, or a flat one (`./`), and one folder. */
export const makeApt = (
  start: Start,
  home: string,
  baseUrl: string,
  suite: string,
  types: readonly ('deb' | 'deb-src')[] = ['deb'],
  proxy = 'DIRECT',
) => {
  for (const path of ['etc/apt.conf.d', 'etc/preferences.d', 'lists/partial', 'cache/archives/partial', 'log'])
    mkdirSync(join(home, path), { recursive: true });
  writeFileSync(join(home, 'status'), '');
  const components = suite.endsWith('/') ? '' : ' main';
  const sources = types.map((type) => `${type} [trusted=yes arch=amd64] ${baseUrl} ${suite}${components}\n`);
  writeFileSync(join(home, 'etc/sources.list'), sources.join(''));
  const config = join(home, 'apt.conf');
  const settings = {
    Dir: home,
    'Dir::Etc': join(home, 'etc'),
    'Dir::State': home,
    'Dir::State::lists': join(home, 'lists'),
    'Dir::State::status': join(home, 'status'),
    'Dir::Cache': join(home, 'cache'),
    'Dir::Log': join(home, 'log'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::http::Proxy': proxy,
    'Acquire::Languages': 'none',
  };
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  const env = { ...ownEnvironment(), APT_CONFIG: config, LC_ALL: 'C' };
  return {
    update: () => succeeded(start('apt-get', ['update', '--error-on=any'], { env })),
    download: async (destination: string, names: readonly string[]) => {
      mkdirSync(destination);
      await succeeded(start('apt-get', ['download', ...names], { env, cwd: destination }));
      return builtFiles(destination);
    },
    /** Whether its indices have a package. */
    knows: async (name: string) =>
      (await succeeded(start('apt-cache', ['pkgnames', name], { env }))).stdout.toString().includes(name),
    /** Removes its indices, as `rm -r /var/lib/apt/lists` does. */
    forget: () => {
      rmSync(join(home, 'lists'), { recursive: true });
      mkdirSync(join(home, 'lists/partial'), { recursive: true });
    },
    /** The files of source packages, unpacked as well. */
    source: async (destination: string, names: readonly string[]) => {
      mkdirSync(destination);
      await succeeded(start('apt-get', ['source', ...names], { env, cwd: destination }));
      return builtFiles(destination);
    },
    /** The packages that `install` would have installed. */
    install: async (names: readonly string[]) => {
      await succeeded(start('apt-get', ['install', '--download-only', '--yes', ...names], { env }));
      return builtFiles(join(home, 'cache/archives')).filter(({ path }) => path.endsWith('.deb'));
    },
  };
};
