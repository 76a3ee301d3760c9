import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';
import { shipped } from './shipped.ts';

/**
 * The start command of a systemd unit: the last one, since an empty line resets the list before it.
 */
const commandOf = (unit: string): string[] =>
  (unit.replaceAll('\\\n', ' ').match(/^ExecStart=.+$/gm) ?? [])
    .at(-1)
    ?.slice('ExecStart='.length)
    .trim()
    .split(/\s+/) ?? [];

/**
 * Starts Varnish with the shipped configuration, on a free port and in a separate folder. Resolves
 * when it accepts connections.
 */
export const startVarnish = async (start: Start, folder: string, streamer: string): Promise<Peer> => {
  const [port = 0] = await freePorts(1);
  const vcl = join(folder, 'default.vcl');
  writeFileSync(vcl, shipped('varnish/default.vcl', { 8751: new URL(streamer).port }));
  const unit = shipped('varnish/override.conf', { 6081: port, '/etc/varnish/default.vcl': vcl });
  const [command = '', ...args] = commandOf(unit);
  // Without it Varnish uses one folder for the whole machine.
  const work = join(folder, 'work');
  mkdirSync(work);
  chmodSync(folder, 0o755);
  const running = start(command, [...args, '-n', work], { farewell: 'SIGTERM' });
  await listening(running, port);
  return { url: `http://127.0.0.1:${port}` };
};
