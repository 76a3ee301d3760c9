import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';

/** A server of the files in `www`, with a log. */
interface FileServer {
  readonly url: string;
  /** The requests so far: method and status of each. */
  readonly requests: () => readonly string[];
}

export type StartFileServer = (start: Start, home: string) => Promise<FileServer>;

const startServer = async (
  start: Start,
  name: 'nginx' | 'apache2',
  home: string,
  config: (port: number) => string,
): Promise<FileServer> => {
  const [port = 0] = await freePorts(1);
  const file = join(home, `${name}.conf`);
  writeFileSync(file, config(port));
  for (const inside of ['', 'www']) chmodSync(join(home, inside), 0o755);
  const args = name === 'nginx' ? ['-c', file] : ['-DFOREGROUND', '-f', file];
  const running = start(name, args, { farewell: 'SIGTERM' });
  await listening(running, port, join(home, 'error.log'));
  const lines = () => readFileSync(join(home, 'access.log'), 'utf8').trim();
  return { url: `http://127.0.0.1:${port}`, requests: () => (lines() === '' ? [] : lines().split('\n')) };
};

/** Starts nginx for the folder `www` in `home`. */
export const startNginxFiles: StartFileServer = (start, home) =>
  startServer(
    start,
    'nginx',
    home,
    (port) => `daemon off;
pid ${home}/nginx.pid;
error_log ${home}/error.log;
events {}
http {
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
    log_format short '$request_method $status';
    access_log ${home}/access.log short;
    server { listen 127.0.0.1:${port}; root ${home}/www; }
}
`,
  );

/** Starts Apache for the folder `www` in `home`. */
export const startApacheFiles: StartFileServer = (start, home) =>
  startServer(
    start,
    'apache2',
    home,
    (port) => `ServerRoot ${home}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${home}/apache.pid
DefaultRuntimeDir ${home}
ErrorLog ${home}/error.log
LogFormat "%m %>s" short
CustomLog ${home}/access.log short
${['mpm_event', 'authz_core'].map((module) => `Include /etc/apache2/mods-available/${module}.load`).join('\n')}
User www-data
Group www-data
StartServers 1
DocumentRoot ${home}/www
`,
  );
