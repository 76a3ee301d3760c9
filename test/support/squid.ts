import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import { type Start, succeeded } from './processes.ts';
import { shipped } from './shipped.ts';

interface Squid extends Peer {
  /** Its own log of requests, so far. */
  accessLog(): string;
  /** Resolves once it is gone; nothing of what it cached is kept. */
  stop(): Promise<void>;
}

/**
 * Starts Squid in the foreground, as shipped, on a free port and with a folder of its own; resolves when it takes connections.
 * `change` makes another configuration of the shipped one, to show what becomes of that.
 */
export const startSquid = async (
  start: Start,
  folder: string,
  streamer: string,
  change: (configuration: string) => string = (shippedOne) => shippedOne,
): Promise<Squid> => {
  const [port = 0] = await freePorts(1);
  // Two of one name on a machine would take each other for their own, and kill each other.
  const name = ['-n', `test${port}`];
  const config = join(folder, 'squid.conf');
  const spool = join(folder, 'spool');
  const accessLog = join(folder, 'access.log');
  writeFileSync(
    config,
    change(
      shipped('squid/squid.conf', {
        3128: port,
        8751: new URL(streamer).port,
        '/var/spool/squid': spool,
        '/var/log/squid': folder,
        '/run/squid.pid': join(folder, 'squid.pid'),
      }),
    ),
  );
  mkdirSync(spool);
  // Squid gives root up for a user of its own, who has to write there.
  for (const own of [folder, spool]) chmodSync(own, 0o777);
  await succeeded(start('squid', [...name, '-N', '-z', '-f', config]));
  const running = start('squid', [...name, '-N', '-f', config]);
  await listening(running, port, join(folder, 'cache.log'));
  return {
    url: `http://127.0.0.1:${port}`,
    // A child of Squid makes the file; made here, it would not be allowed to write to it.
    accessLog: () => (existsSync(accessLog) ? readFileSync(accessLog, 'utf8') : ''),
    stop: async () => {
      running.kill('SIGKILL');
      await running.ended;
    },
  };
};
