import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer, written } from './peers.ts';
import { freePorts } from './ports.ts';
import { type Start, succeeded } from './processes.ts';
import { shipped } from './shipped.ts';

interface Squid extends Peer {
  /** Its own log of requests, so far. */
  accessLog(): string;
  /** Resolves once it is gone; nothing of what it cached is kept. */
  stop(): Promise<void>;
}

/** Starts Squid in the foreground, as shipped, on a free port and with a folder of its own; resolves when it takes connections. */
export const startSquid = async (start: Start, folder: string, streamer: string): Promise<Squid> => {
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'squid.conf');
  const spool = join(folder, 'spool');
  writeFileSync(
    config,
    shipped('squid/squid.conf', {
      3128: port,
      8751: new URL(streamer).port,
      '/var/spool/squid': spool,
      '/var/log/squid': folder,
      '/run/squid.pid': join(folder, 'squid.pid'),
    }),
  );
  mkdirSync(spool);
  // Squid gives root up for a user of its own, who has to write there.
  for (const own of [folder, spool]) chmodSync(own, 0o777);
  await succeeded(start('squid', ['-N', '-z', '-f', config]));
  const running = start('squid', ['-N', '-f', config]);
  await listening(running, port, join(folder, 'cache.log'));
  return {
    url: `http://127.0.0.1:${port}`,
    accessLog: () => written(join(folder, 'access.log')),
    stop: async () => {
      running.kill('SIGKILL');
      await running.ended;
    },
  };
};
