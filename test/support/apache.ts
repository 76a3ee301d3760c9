import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';
import { type Places, shipped } from './shipped.ts';

/** The modules of a normal installation, and those that docs/how-to/apache.md enables. */
const NORMAL = ['mpm_event', 'authz_core'];
const BEFORE_SQUID = ['proxy', 'proxy_http', 'rewrite', 'wsgi'];
const WITH_CACHE = ['proxy', 'proxy_http', 'cache', 'cache_disk', 'headers'];

/** A main file such as Debian's, but with the test's folders. */
const mainFile = (folder: string, port: number, modules: readonly string[]): string => `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}/run
ErrorLog ${folder}/error.log
${[...NORMAL, ...modules].map((name) => `Include /etc/apache2/mods-available/${name}.load`).join('\n')}
User www-data
Group www-data
DocumentRoot ${folder}/run
StartServers 1
Include ${folder}/site.conf
`;

/**
 * Starts Apache before Squid with the shipped configuration, on a free port and in a separate
 * folder. Resolves when it accepts connections.
 */
export const startApache = (
  start: Start,
  folder: string,
  { squid, adminPort }: { readonly squid: string; readonly adminPort: number },
): Promise<Peer> => {
  const script = join(folder, 'check_signed.py');
  writeFileSync(script, shipped('apache/check_signed.py', { 8752: adminPort }));
  const places = { 3128: new URL(squid).port, '/usr/local/lib/pulp-streamer/check_signed.py': script };
  return startSite(start, folder, BEFORE_SQUID, 'apache/pulp-streamer.conf', places);
};

/** Starts a caching Apache with the shipped configuration. Resolves when it accepts connections. */
export const startApacheCache = (start: Start, folder: string, streamer: string): Promise<Peer> => {
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  // Apache changes from root to its user, which must be able to write there.
  chmodSync(cache, 0o777);
  const places = { 8751: new URL(streamer).port, '/var/cache/apache2/mod_cache_disk': cache };
  return startSite(start, folder, WITH_CACHE, 'apache/cache.conf', places);
};

const startSite = (
  start: Start,
  folder: string,
  modules: readonly string[],
  site: string,
  places: Places,
): Promise<Peer> => runApache(start, folder, modules, (port) => shipped(site, { 80: port, ...places }));

/**
 * Starts Apache with these modules in addition to its normal ones, and this site. Resolves when it
 * accepts connections.
 */
export const runApache = async (
  start: Start,
  folder: string,
  modules: readonly string[],
  siteAt: (port: number) => string,
): Promise<Peer> => {
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'apache2.conf');
  mkdirSync(join(folder, 'run'));
  chmodSync(folder, 0o755);
  writeFileSync(config, mainFile(folder, port, modules));
  writeFileSync(join(folder, 'site.conf'), siteAt(port));
  const running = start('apache2', ['-DFOREGROUND', '-f', config], { farewell: 'SIGTERM' });
  await listening(running, port, join(folder, 'error.log'));
  return { url: `http://127.0.0.1:${port}` };
};
