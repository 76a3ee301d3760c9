import { startNginx } from '../support/nginx.ts';
import type { Start } from '../support/processes.ts';
import { missingTools } from '../support/repositories.ts';
import { startSquid } from '../support/squid.ts';
import { startVarnish } from '../support/varnish.ts';

/** A cache with its shipped configuration. */
export interface Cache {
  readonly name: string;
  readonly program: string;
  /** Promises to go on with what it has while the streamer has an error. */
  readonly staleOnError: boolean;
  /** Starts it in front of a streamer; resolves to its URL. */
  start(start: Start, folder: string, streamer: string): Promise<{ readonly url: string }>;
}

const portOf = (url: string) => ({ 8751: new URL(url).port });

export const CACHES: readonly Cache[] = [
  { name: 'squid', program: 'squid', staleOnError: false, start: startSquid },
  {
    name: 'whole',
    program: 'nginx',
    staleOnError: true,
    start: (start, folder, streamer) => startNginx(start, folder, 'whole', portOf(streamer)),
  },
  {
    name: 'slices',
    program: 'nginx',
    staleOnError: true,
    start: (start, folder, streamer) => startNginx(start, folder, 'slices', portOf(streamer)),
  },
  { name: 'varnish', program: 'varnishd', staleOnError: false, start: startVarnish },
];

/** Programs that this machine lacks. */
export const missing: readonly string[] = missingTools([...new Set(CACHES.map(({ program }) => program))]);
