import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { CatalogEntry } from '../../pipelines/index.ts';
import { type Daemon, startDaemon } from '../../src/app/daemon.ts';
import { type SettingOptions, settingsOf } from '../../src/app/from-settings.ts';
import type { Reloaded } from '../../src/app/reload.ts';
import type { ImporterConfig } from '../../src/catalog/importer-config.ts';
import type { Settings } from '../../src/config/schema.ts';
import { createLogger } from '../../src/observe/log.ts';

/**
 * Everything received over a connection, as Latin-1. `head` is split into lines, without the empty
 * one.
 */
export interface Wire {
  readonly status: number;
  readonly head: readonly string[];
  readonly body: string;
}

/** The daemon, and clients that inspect the bytes. */
export interface WireSite {
  readonly daemon: Daemon;
  /** Its lines, and after them those of its workers. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Has the daemon reload its configuration, with these settings changed. */
  reload(more: Partial<Settings>): Promise<Reloaded>;
  /** Catalogues a path at these URLs, to be tried in this order. */
  list(path: string, urls: readonly string[], more?: Partial<CatalogEntry>, config?: ImporterConfig): void;
  /** Requests a target on a separate connection, and reads until the server closes it. */
  ask(target: string, options?: { readonly method?: string; readonly fields?: readonly string[] }): Promise<Wire>;
}

/** The values of a field, by its lower-case name. */
export const valuesOf = ({ head }: Wire, name: string): readonly string[] =>
  head.filter((line) => line.toLowerCase().startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));

const linesIn = (file: string): readonly Readonly<Record<string, unknown>>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

export const startWireSite = async (stateDir: string, options: SettingOptions = {}): Promise<WireSite> => {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger('INFO', { write: (line: string) => log.push(JSON.parse(line)) });
  // Workers are processes, so their lines come by a file.
  const file = join(stateDir, 'workers.log');
  const settings = settingsOf({
    ...{ stateDir, port: 0, interfaces: '127.0.0.1', contentSourcesDir: stateDir },
    ...(Number(options.workers ?? 1) > 1 && { logFile: file }),
    ...options,
  });
  let current = settings;
  const daemon = await startDaemon(settings, logger, {
    load: () => ({ settings: current, warnings: [], origins: {} }),
  });
  const port = daemon.addresses[0]?.port ?? 0;
  const { importers, entries } = daemon.streamer.catalog;

  return {
    daemon,
    get log() {
      return existsSync(file) ? [...log, ...linesIn(file)] : log;
    },
    reload: async (more) => {
      current = { ...current, ...more };
      return daemon.reload();
    },
    list: (path, urls, more = {}, config = {}) => {
      const staging = entries.stage();
      // The newest entry is tried first, and one importer has one entry per path.
      for (const url of urls.toReversed()) {
        const importerId = importers.add({ config }).id;
        staging.write([{ path, importerId, unitId: path, unitTypeId: 'iso', url, revision: 1, data: {}, ...more }]);
      }
      staging.publishAsIs();
    },
    ask: async (target, { method = 'GET', fields = [] } = {}) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const lines = [`${method} ${target} HTTP/1.1`, 'Host: streamer', 'Connection: close', ...fields, '', ''];
      socket.write(lines.join('\r\n'), 'latin1');
      const all = (await buffer(socket)).toString('latin1');
      const end = all.indexOf('\r\n\r\n');
      const head = all.slice(0, end).split('\r\n');
      return { status: Number(head[0]?.split(' ')[1]), head, body: all.slice(end + 4) };
    },
  };
};
