import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './processes.ts';
import { shipped } from './shipped.ts';

/** Of a normal installation, and what docs/operate/apache.md says is to be enabled. */
const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'rewrite', 'wsgi'];

/** A main file such as Debian's, but for folders of our own. */
const mainFile = (folder: string, port: number): string => `
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}/run
ErrorLog ${folder}/error.log
${MODULES.map((name) => `Include /etc/apache2/mods-available/${name}.load`).join('\n')}
User www-data
Group www-data
DocumentRoot ${folder}/run
StartServers 1
Include ${folder}/pulp-streamer.conf
`;

/** Starts Apache, as shipped, on a free port and with a folder of its own; resolves when it takes connections. */
export const startApache = async (
  start: Start,
  folder: string,
  { squid, adminPort }: { readonly squid: string; readonly adminPort: number },
): Promise<Peer> => {
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'apache2.conf');
  const script = join(folder, 'check_signed.py');
  mkdirSync(join(folder, 'run'));
  chmodSync(folder, 0o755);
  writeFileSync(config, mainFile(folder, port));
  const places = {
    80: port,
    3128: new URL(squid).port,
    '/usr/local/lib/pulp-streamer/check_signed.py': script,
  };
  writeFileSync(join(folder, 'pulp-streamer.conf'), shipped('apache/pulp-streamer.conf', places));
  writeFileSync(script, shipped('apache/check_signed.py', { 8752: adminPort }));
  const running = start('apache2', ['-DFOREGROUND', '-f', config], { farewell: 'SIGTERM' });
  await listening(running, port, join(folder, 'error.log'));
  return { url: `http://127.0.0.1:${port}` };
};
