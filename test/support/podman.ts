import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { missingTools } from './tools.ts';

/** Podman with images and containers of its own, in one folder. */
export interface Podman {
  /** Its status and its output. */
  run(...args: readonly string[]): { readonly status: number | null; readonly said: string };
  /** Its output. Throws if it fails. */
  must(...args: readonly string[]): string;
}

/** Milliseconds for one command: the longest one installs packages in an image. */
const PATIENCE = 200_000;

/** Some machines have both versions of control groups, with which the runtimes cannot work. */
const ONE_VERSION =
  'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; unset NODE_EXTRA_CA_CERTS; exec podman "$@"';

export const openPodman = (folder: string): Podman => {
  const own = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay'];
  const options = [...own, '--events-backend', 'file', '--cgroup-manager', 'cgroupfs', '--log-level', 'fatal'];
  return podmanBy(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', ONE_VERSION, 'sh', ...options]);
};

/** Podman as a program of this machine. */
export const podmanAt = (program: string): Podman => podmanBy([program]);

const podmanBy = ([program = '', ...first]: readonly string[]): Podman => {
  const run: Podman['run'] = (...args) => {
    const words = [...first, ...args];
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', timeout: PATIENCE });
    return { status, said: `${stdout}${status === 0 ? '' : stderr}`.trim() };
  };
  const must: Podman['must'] = (...args) => {
    const { status, said } = run(...args);
    if (status !== 0) throw new Error(`podman ${args.join(' ')} ended with ${status}\n${said}`);
    return said;
  };
  return { run, must };
};

/** What a container may not have on machines whose root may not raise limits. */
export const LIMITS = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096', '--cgroups=disabled'];

/**
 * A file system of a few programs of this machine, for `podman import`: images are downloaded from
 * nowhere.
 */
export const smallSystem = (folder: string): string => {
  const root = join(folder, 'base');
  mkdirSync(root);
  const script = `cd "$1"
    mkdir -p usr/bin usr/lib usr/lib64 etc tmp proc sys dev run var/lib
    ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/lib64 lib64
    printf 'root:x:0:0::/:/bin/sh\\n' >etc/passwd
    shift
    for program in /bin/sh /bin/cat /usr/bin/id /usr/bin/touch "$@"; do
      [ "$program" = "\${program#/usr/bin}" ] && [ "$program" = "\${program#/bin}" ] || cp -L "$program" usr/bin/
      ldd "$program" | grep -o '/[^ ]*' | while read -r one; do mkdir -p ".\${one%/*}"; cp -L "$one" ".$one"; done
    done
    tar -cf ../base.tar .`;
  const { status, stderr } = spawnSync('sh', ['-ec', script, 'sh', root, process.execPath], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return join(folder, 'base.tar');
};

/** What this machine lacks to run containers, in words; empty if it can. */
export const lackingForContainers = (folder: string): string => {
  const missing = missingTools(['podman', 'unshare', 'ldd', 'tar', 'flock']);
  if (missing.length > 0) return missing.join(', ');
  if (process.geteuid?.() !== 0) return 'root';
  const podman = openPodman(folder);
  const { status } = podman.run('import', smallSystem(folder), 'localhost/small');
  const works = status === 0 && podman.run('run', '--rm', ...LIMITS, '--network=none', 'localhost/small', 'id');
  return works && works.status === 0 ? '' : 'leave to run containers';
};
