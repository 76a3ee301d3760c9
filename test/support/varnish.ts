import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './processes.ts';
import { shipped } from './shipped.ts';

/** The command that a unit of systemd is started with: the last one, since a list is emptied before. */
const commandOf = (unit: string): string[] =>
  (unit.replaceAll('\\\n', ' ').match(/^ExecStart=.+$/gm) ?? [])
    .at(-1)
    ?.slice('ExecStart='.length)
    .trim()
    .split(/\s+/) ?? [];

/** Starts Varnish, as shipped, on a free port and with a folder of its own; resolves when it takes connections. */
export const startVarnish = async (start: Start, folder: string, streamer: string): Promise<Peer> => {
  const [port = 0] = await freePorts(1);
  const vcl = join(folder, 'default.vcl');
  writeFileSync(vcl, shipped('varnish/default.vcl', { 8751: new URL(streamer).port }));
  const unit = shipped('varnish/override.conf', { 6081: port, '/etc/varnish/default.vcl': vcl });
  const [command = '', ...args] = commandOf(unit);
  // Otherwise the one folder that Varnish has on every machine.
  const work = join(folder, 'work');
  mkdirSync(work);
  chmodSync(folder, 0o755);
  const running = start(command, [...args, '-n', work], { farewell: 'SIGTERM' });
  await listening(running, port);
  return { url: `http://127.0.0.1:${port}` };
};
