import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import { type Start, succeeded } from './run-process.ts';
import { placed, shipped } from './shipped.ts';

interface Squid extends Peer {
  /** Squid's request log so far. */
  accessLog(): string;
  /** Resolves once it has ended; its cache is discarded. */
  stop(): Promise<void>;
}

/**
 * Starts Squid in the foreground with the shipped configuration, on a free port and in a separate
 * folder. Resolves when it accepts connections. `change` modifies the configuration, for
 * the same ports and folders, to show the effect.
 */
export const startSquid = async (
  start: Start,
  folder: string,
  streamer: string,
  change: (configuration: string) => string = (shippedOne) => shippedOne,
): Promise<Squid> => {
  const [port = 0] = await freePorts(1);
  // Two of the same name on a machine would confuse and kill each other.
  const name = ['-n', `test${port}`];
  const config = join(folder, 'squid.conf');
  const spool = join(folder, 'spool');
  const accessLog = join(folder, 'access.log');
  const places = {
    3128: port,
    8751: new URL(streamer).port,
    '/var/spool/squid': spool,
    '/var/log/squid': folder,
    '/run/squid.pid': join(folder, 'squid.pid'),
  };
  // The text of `change` also names the ports and folders of a normal installation.
  writeFileSync(config, placed(change(shipped('squid/squid.conf', places)), places));
  mkdirSync(spool);
  // Squid changes from root to its user, which must be able to write there.
  for (const own of [folder, spool]) chmodSync(own, 0o777);
  await succeeded(start('squid', [...name, '-N', '-z', '-f', config]));
  const running = start('squid', [...name, '-N', '-f', config]);
  await listening(running, port, join(folder, 'cache.log'));
  return {
    url: `http://127.0.0.1:${port}`,
    // A child of Squid creates the file. Created here, it would not be writable for Squid.
    accessLog: () => (existsSync(accessLog) ? readFileSync(accessLog, 'utf8') : ''),
    stop: async () => {
      running.kill('SIGKILL');
      await running.ended;
    },
  };
};
