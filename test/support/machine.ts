import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingTools } from './tools.ts';

/**
 * Makes this machine's file system the lower layer of another one, in a mount namespace of its own.
 * All that is written goes to memory, and is gone with the last process.
 */
const ENTER = `set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 none "$root/run"
mkdir -p "$root$2"
mount --bind "$2" "$root$2"
exec chroot "$root" /bin/sh -ec "$3"`;

const unshared = (script: string, args: readonly string[]) =>
  spawnSync(
    'unshare',
    ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private', 'sh', '-c', script, 'sh', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000, killSignal: 'SIGKILL', encoding: 'utf8' },
  );

const withFolder = <T>(work: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-machine-'));
  try {
    return work(folder);
  } finally {
    rmdirSync(folder);
  }
};

/**
 * Runs a shell script as root on a copy of this machine that is thrown away afterwards. `shared` is
 * a folder that both see. Returns its output; throws if it failed.
 */
export const onCopyOfMachine = (shared: string, script: string): string =>
  withFolder((folder) => {
    const { status, stdout, stderr } = unshared(ENTER, [folder, shared, script]);
    if (status !== 0) throw new Error(`ended with ${status}\n${stdout}\n${stderr}`);
    return stdout;
  });

/** What this machine lacks for it, in words; empty if it can. */
export const lackingForCopy = (tools: readonly string[]): string => {
  const missing = missingTools([...tools, 'unshare', 'setpriv']);
  if (missing.length > 0) return missing.join(', ');
  const works =
    process.geteuid?.() === 0 && withFolder((folder) => unshared(ENTER, [folder, folder, 'true']).status === 0);
  return works ? '' : 'root, and leave to mount an overlay';
};
