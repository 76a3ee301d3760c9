import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startProcess, succeeded } from '../run-process.ts';
import { missingTools } from '../tools.ts';

/** A systemd as the first process of namespaces, with the project at /opt/pulp-streamer. */
export interface Booted {
  /** Runs a shell script as root inside. Resolves to its output; rejects unless it succeeds. */
  run(script: string): Promise<string>;
  /** Ends all its processes. */
  end(): Promise<void>;
}

/** The command of the clone inside. */
export const PULP_STREAMER =
  '/opt/pulp-streamer/node_modules/node/bin/node --disable-sigusr1 /opt/pulp-streamer/bin/pulp-streamer.cjs';

const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'pulp-streamer-booted-'));

/** What this machine lacks to boot systemd in namespaces, in words; empty if it can. */
export const lackingToBoot = (): string => {
  const missing = missingTools(['systemctl', 'unshare', 'nsenter', 'pivot_root', 'curl']);
  if (missing.length > 0) return missing.join(', ');
  if (process.geteuid?.() !== 0) return 'root';
  const folder = newFolder();
  try {
    // Without standard input it ends at once.
    const { status, stdout } = spawnSync(BOOT, [folder, PROJECT], { input: '', encoding: 'utf8', timeout: 20_000 });
    return status === 0 && /^\d+$/m.test(stdout) ? '' : 'leave to make namespaces and to mount file systems in them';
  } finally {
    rmdirSync(folder);
  }
};

/** Boots it. Resolves when all of its own units are up. */
export const bootSystemd = async (): Promise<Booted> => {
  const folder = newFolder();
  const machine = spawn(BOOT, [folder, PROJECT], { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints = text(machine.stderr);
  const over = new Promise<void>((resolve) => machine.once('close', () => resolve()));
  const end = async () => {
    machine.stdin.end();
    await over;
    rmdirSync(folder);
  };
  let first = '';
  for await (const line of createInterface(machine.stdout)) {
    first = line;
    break;
  }
  if (!/^\d+$/.test(first)) {
    await end();
    throw new Error(`systemd did not boot: ${await complaints}`);
  }
  const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup'];
  const run = async (script: string) => {
    const inside = ['-t', first, ...namespaces, 'env', '-i', `PATH=${PATH}`, 'sh', '-ec', script];
    const { stdout } = await succeeded(startProcess('nsenter', inside));
    return stdout.toString();
  };
  await run(
    'until [ -S /run/systemd/private ]; do sleep 0.05; done; [ "$(systemctl is-system-running --wait)" = running ]',
  );
  return { run, end };
};

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
