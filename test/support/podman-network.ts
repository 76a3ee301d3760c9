import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Podman, podmanAt } from './podman.ts';

/** Podman with containers that have networks, in which services find each other by their names. */
export interface PodmanNetwork extends Podman {
  /** Builds an image whose commands may download packages. */
  build(tag: string, context: string, args?: Readonly<Record<string, string>>): void;
  /** Runs a compose file of a folder. */
  compose(folder: string, ...args: readonly string[]): string;
  /** The words that run a command of this machine where the published ports of containers are. */
  readonly inside: readonly string[];
  /** Removes all containers, and their networks. */
  close(): Promise<void>;
}

const NETAVARK = ['netavark', 'aardvark-dns'].map((name) => `/usr/lib/podman/${name}`);

/** What this machine lacks for networks of containers, in words; empty if it has all. */
export const lackingForNetworks = (): string => {
  const missing = NETAVARK.filter((file) => !existsSync(file)).map((file) => file.replace(/.*\//, ''));
  if (missing.length > 0) return missing.join(', ');
  const script = 'ip link add one type bridge && ip link add two type veth && iptables -t nat -L -n';
  return spawnSync('unshare', ['--net', 'sh', '-ec', script]).status === 0 ? '' : 'leave to make networks';
};

/** Where networks are recorded, also those of the machine's own containers. */
const RECORDS = '/run/containers';

/**
 * Some machines have both versions of control groups, with which the runtimes cannot work. A name
 * server of other networks would be taken for that of these ones.
 */
const HOLD = `umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir -p ${RECORDS}; mount -t tmpfs tmpfs ${RECORDS}
  ip link set lo up; echo ready; exec sleep infinity`;

/** The name server outlives its networks if their containers did not end by themselves. */
const END_NAME_SERVER = `pid=$(cat ${RECORDS}/networks/aardvark-dns/aardvark.pid) &&
  grep -qx aardvark-dns /proc/$pid/comm && kill $pid`;

/**
 * Limits, since the root of some machines may not raise them, and a runtime that leaves control
 * groups alone, of which some machines have none.
 */
const configuration = (folder: string): string => `[network]
network_backend = "netavark"
network_config_dir = "${join(folder, 'networks')}"
[engine]
events_logger = "file"
cgroup_manager = "cgroupfs"
runtime = "crun"
[engine.runtimes]
crun = ["${join(folder, 'bin/crun')}"]
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
`;

const script = (file: string, text: string) => writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });

/** Opens it with images, volumes and networks in a folder. All of it is in a network of its own. */
export const openPodmanNetwork = async (folder: string): Promise<PodmanNetwork> => {
  const held = spawn('unshare', ['--mount', '--net', '--propagation', 'private', 'sh', '-c', HOLD], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(held.stdout, 'data');
  const bin = join(folder, 'bin');
  for (const one of [bin, join(folder, 'networks')]) mkdirSync(one);
  const config = join(folder, 'containers.conf');
  writeFileSync(config, configuration(folder));
  script(join(bin, 'crun'), 'exec /usr/bin/crun --cgroup-manager=disabled "$@"');
  // Podman refuses long names for it.
  const state = mkdtempSync('/run/pulp-streamer-');
  const own = `--root '${join(folder, 'root')}' --runroot '${state}' --storage-driver overlay --log-level fatal`;
  const enter = `unset NODE_EXTRA_CA_CERTS; export CONTAINERS_CONF='${config}'; exec nsenter --target ${held.pid} --wd="$PWD"`;
  script(join(bin, 'podman'), `${enter} --mount --net -- podman ${own} "$@"`);
  // Commands of a build use the network of this machine.
  script(join(bin, 'podman-builds'), `${enter} --mount -- podman ${own} "$@"`);
  const podman = podmanAt(join(bin, 'podman'));
  const builder = podmanAt(join(bin, 'podman-builds'));

  return {
    ...podman,
    build: (tag, context, args = {}) => {
      const words = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
      builder.must(
        ...['build', '--isolation', 'chroot', '--network', 'host', '--ulimit', 'nofile=4096:4096'],
        ...['--format', 'docker', '--file', join(context, 'Containerfile'), ...words, '--tag', tag, context],
      );
    },
    compose: (cwd, ...args) => {
      const words = ['--podman-path', join(bin, 'podman'), ...args];
      const { status, stdout, stderr } = spawnSync('podman-compose', words, { cwd, encoding: 'utf8' });
      // It ends well even if a container does not start.
      if (status !== 0 || /exit code: [^0]/.test(stderr))
        throw new Error(`podman-compose ${args.join(' ')}\n${stderr}`);
      return stdout;
    },
    inside: ['nsenter', '--target', String(held.pid), '--net', '--'],
    close: async () => {
      podman.run('pod', 'rm', '--all', '--force', '--time', '0');
      podman.run('rm', '--all', '--force', '--time', '0');
      spawnSync('nsenter', ['--target', String(held.pid), '--mount', '--', 'sh', '-c', END_NAME_SERVER]);
      held.kill('SIGKILL');
      await once(held, 'close');
      rmSync(state, { recursive: true, force: true });
    },
  };
};
