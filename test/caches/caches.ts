import { startApacheCache } from '../support/apache.ts';
import { startNginx } from '../support/nginx.ts';
import type { Start } from '../support/run-process.ts';
import { startSquid } from '../support/squid.ts';
import { missingTools } from '../support/tools.ts';
import { startVarnish } from '../support/varnish.ts';

/** A cache with its shipped configuration. */
export interface Cache {
  readonly name: string;
  readonly program: string;
  /**
   * Seconds for which it keeps parts of files, if it does. A whole file breaks off while it has parts of
   * two versions.
   */
  readonly parts?: number;
  /** Starts it in front of a streamer. Resolves to its URL. */
  start(start: Start, folder: string, streamer: string): Promise<{ readonly url: string }>;
}

const portOf = (url: string) => ({ 8751: new URL(url).port });

/** Seconds that nginx keeps a slice (docs/how-to/nginx.md). */
const SLICES = 60;

export const CACHES: readonly Cache[] = [
  { name: 'squid', program: 'squid', start: startSquid },
  {
    name: 'whole',
    program: 'nginx',
    start: (start, folder, streamer) => startNginx(start, folder, 'whole', portOf(streamer)),
  },
  {
    name: 'slices',
    program: 'nginx',
    parts: SLICES,
    start: (start, folder, streamer) => startNginx(start, folder, 'slices', portOf(streamer)),
  },
  { name: 'varnish', program: 'varnishd', start: startVarnish },
  { name: 'apache', program: 'apache2', start: startApacheCache },
];

/** Programs that are not installed. */
export const missing: readonly string[] = missingTools([...new Set(CACHES.map(({ program }) => program))]);
