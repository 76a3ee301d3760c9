import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askWhole } from './clients.ts';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';
import { type Places, shipped } from './shipped.ts';

interface Nginx extends Peer {
  /** The number of requests in progress, including those that wait for others. */
  answering(): Promise<number>;
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** A main file such as Debian's, but with the test's folders and a status page. */
const mainFile = (folder: string, door: number): string => `
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
    ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n    ')}
    access_log off;
    gzip on;
    gzip_types *;
    include conf.d/*.conf;
    server {
        listen 127.0.0.1:${door};
        location / { stub_status; }
    }
}
`;

/**
 * Starts nginx with one of the sites in `examples/nginx`, on free ports and in a separate folder.
 * Resolves when it accepts connections.
 */
export const startNginx = async (
  start: Start,
  folder: string,
  site: 'whole' | 'slices' | 'signed' | 'accel',
  places: Places,
): Promise<Nginx> => {
  const [port = 0, door = 0] = await freePorts(2);
  const config = join(folder, 'nginx.conf');
  const own = join(folder, 'conf.d');
  mkdirSync(own);
  chmodSync(folder, 0o755);
  writeFileSync(config, mainFile(folder, door));
  const cache: Places = site === 'accel' ? {} : { '/var/cache/pulp-streamer': join(folder, 'cache') };
  const all = { 80: port, ...cache, ...places };
  writeFileSync(join(own, 'pulp-streamer.conf'), shipped(`nginx/${site}.conf`, all));
  cpSync(fileURLToPath(new URL('../../examples/nginx/snippets', import.meta.url)), join(folder, 'snippets'), {
    recursive: true,
  });
  const running = start('nginx', ['-c', config], { farewell: 'SIGTERM' });
  await listening(running, port, join(folder, 'error.log'));
  return {
    url: `http://127.0.0.1:${port}`,
    answering: async () => {
      const { body } = await askWhole(`http://127.0.0.1:${door}/`);
      // One of them is this request.
      return Number(/Writing: (\d+)/.exec(body.toString())?.[1]) - 1;
    },
  };
};
