import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { type Daemon, startDaemon } from '../../src/app/daemon.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createLogger } from '../../src/observe/log.ts';
import type { MongoServer } from './mongodb.ts';
import { connectionTo, linesOf } from './pulp2/connection.ts';

/** A line of the daemon's log. */
export interface Line {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The daemon on a site of Pulp 2: started with the files of such a site. */
export interface PulpSite {
  readonly url: string;
  readonly folder: string;
  /** Its configuration files, the later over the earlier. */
  readonly configs: readonly string[];
  /** The folder that contains the certificates of importers. */
  readonly storageDir: string;
  /** Descriptors of alternate content sources. */
  readonly sourcesDir: string;
  readonly log: readonly Line[];
  readonly daemon: Daemon;
}

/** Starts sites that are stopped after the test. Call it before the folders of the sites are created, since they are removed later. */
export const stoppedSites = (): typeof startPulpSite => {
  const started: PulpSite[] = [];
  afterEach(() => Promise.all(started.splice(0).map(({ daemon }) => daemon.stop())));
  return async (...site) => {
    const one = await startPulpSite(...site);
    started.push(one);
    return one;
  };
};

/** Starts it in an empty folder. Further settings are lines of streamer.conf. */
export const startPulpSite = async (
  folder: string,
  server: Pick<MongoServer, 'url'>,
  database: string,
  more: readonly string[] = [],
): Promise<PulpSite> => {
  const [storageDir, sourcesDir] = ['pulp', 'sources'].map((name) => join(folder, name)) as [string, string];
  mkdirSync(sourcesDir);
  const connection = connectionTo(server.url, database);
  const files = { 'server.conf': serverConf(connection.database, storageDir), 'streamer.conf': '' };
  files['streamer.conf'] = [
    '[streamer]',
    'port: 0',
    'interfaces: 127.0.0.1',
    'log_level: DEBUG',
    `state_dir: ${join(folder, 'state')}`,
    `content_sources_dir: ${sourcesDir}`,
    `plugin_config_dir: ${join(folder, 'plugins')}`,
    'dispatch: none',
    'retry_wait: 0',
    'cooldown: 0',
    ...linesOf(connection.streamer),
    ...more,
  ].join('\n');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const configs = Object.keys(files).map((name) => join(folder, name));
  const { settings } = loadSettings({ standardFiles: configs });

  const log: Line[] = [];
  const logger = createLogger(settings.logLevel, { write: (line: string) => log.push(JSON.parse(line)) });
  const daemon = await startDaemon(settings, logger);
  const [address] = daemon.addresses;
  return { url: `http://127.0.0.1:${address?.port}`, folder, configs, storageDir, sourcesDir, log, daemon };
};

/** As shipped by Pulp, with this site's changes. */
const serverConf = (
  database: Readonly<Record<string, string>>,
  storageDir: string,
): string => `# Pulp's own configuration
[database]
# name: pulp_database
${linesOf(database).join('\n')}
# username:
# write_concern: majority

[server]
# server_name: server_hostname
storage_dir: ${storageDir}

[lazy]
redirect_host: pulp.example.com
https_retrieval: false

[tasks]
# broker_url: qpid://localhost/
`;
