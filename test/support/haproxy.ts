import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';
import { shipped } from './shipped.ts';

/**
 * Starts HAProxy with the shipped configuration, before three streamers, on a free port. Resolves when
 * it accepts connections.
 */
export const startHaproxy = async (
  start: Start,
  folder: string,
  [first, second, third]: readonly [number, number, number],
): Promise<Peer> => {
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(config, shipped('haproxy/haproxy.cfg', { 80: port, 8751: first, 8752: second, 8753: third }));
  const running = start('haproxy', ['-db', '-f', config], { farewell: 'SIGTERM' });
  await listening(running, port);
  return { url: `http://127.0.0.1:${port}` };
};
