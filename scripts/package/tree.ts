import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../src/app/version.ts';

/** An order for one package file. */
export interface Order {
  /** The files as they are installed. */
  readonly tree: string;
  /** A folder for what is made on the way. */
  readonly work: string;
  readonly out: string;
  readonly version: string;
  readonly uncompressed: boolean;
}

export const CONFIG = '/etc/pulp-streamer/pulp-streamer.conf';
const LIB = 'usr/lib/pulp-streamer';

/** Names of this machine's processor in both worlds. */
export const ARCHITECTURES: Readonly<Record<string, { readonly deb: string; readonly rpm: string }>> = {
  x64: { deb: 'amd64', rpm: 'x86_64' },
  arm64: { deb: 'arm64', rpm: 'aarch64' },
};

export const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string =>
  execFileSync(program, args, {
    cwd: packageRoot,
    env,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** The folders of the packages that run with the daemon, below node_modules. */
const dependencies = (): readonly string[] =>
  run('npm', ['ls', '--omit=dev', '--all', '--parseable'])
    .trim()
    .split('\n')
    .slice(1)
    .map((folder) => relative(packageRoot, folder));

/** Lays the files of the package into a folder, as they are installed below `/`. */
export const layTree = (tree: string, version: string): void => {
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
    chmodSync(join(tree, path), mode);
  };
  const copy = (from: string, to: string) => cpSync(join(packageRoot, from), join(tree, to), { recursive: true });
  const shown = (...args: string[]) => run(process.execPath, [join(packageRoot, 'src/cli/launcher.cjs'), ...args]);

  for (const part of [
    'dist',
    'docs',
    'examples',
    'CHANGELOG.md',
    'README.md',
    'SECURITY.md',
    'CONTRIBUTING.md',
    'LICENSE',
  ])
    copy(part, join(LIB, part));
  for (const folder of dependencies()) copy(folder, join(LIB, folder));
  // Compiled for all systems: that of this one remains.
  const prebuilds = join(tree, LIB, 'node_modules/lzma-native');
  for (const part of ['deps', 'src']) rmSync(join(prebuilds, part), { recursive: true, force: true });
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const { devDependencies, scripts, allowScripts, ...rest } = manifest;
  put(join(LIB, 'package.json'), `${JSON.stringify({ ...rest, version }, null, 2)}\n`);
  copy('node_modules/node/bin/node', join(LIB, 'bin/node'));
  put('usr/bin/pulp-streamer', COMMAND, 0o755);

  for (const unit of ['pulp-streamer.service', 'pulp-streamer.socket', 'pulp-streamer-admin.socket'])
    copy(`examples/systemd/${unit}`, `usr/lib/systemd/system/${unit}`);
  copy('examples/systemd/sysusers.conf', 'usr/lib/sysusers.d/pulp-streamer.conf');
  copy('src/cli/completion.bash', 'usr/share/bash-completion/completions/pulp-streamer');
  copy('src/cli/completion.zsh', 'usr/share/zsh/site-functions/_pulp-streamer');
  put('usr/share/man/man1/pulp-streamer.1.gz', gzipSync(shown('docs', 'pulp-streamer.1')));
  copy('LICENSE', 'usr/share/doc/pulp-streamer/copyright');
  put(CONFIG, CONFIG_TEXT, 0o640);
  put('usr/share/doc/pulp-streamer/all-settings.conf', shown('init', '-'));
  run('chmod', ['-R', 'u=rwX,go=rX', join(tree, 'usr')]);
};

/** Short, so that it stays the same: a package manager asks about a changed one at each upgrade. */
const CONFIG_TEXT = `# Settings of pulp-streamer, such as \`port = 8751\`. All of them, with their meanings and defaults:
# /usr/share/doc/pulp-streamer/all-settings.conf, or pulp-streamer init -
# \`pulp-streamer check-config\` checks this file.

[streamer]
`;

/** The process becomes Node, so that it keeps the id that systemd knows. */
const COMMAND = `#!/bin/sh
exec /${LIB}/bin/node --disable-sigusr1 /${LIB}/dist/cli/launcher.cjs "$@"
`;

/** Makes the user, for both kinds of packages; without systemd, with what every system has. */
export const MAKE_USER = `if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers pulp-streamer.conf
elif ! getent passwd pulp-streamer >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/pulp-streamer --no-create-home --shell /usr/sbin/nologin pulp-streamer
fi
install -d -m 0700 -o pulp-streamer -g pulp-streamer /var/lib/pulp-streamer
chown root:pulp-streamer ${CONFIG}
chmod 0640 ${CONFIG}`;
