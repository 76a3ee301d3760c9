import { openSqliteCatalog } from '../../src/catalog/sqlite.ts';
import { freePorts } from '../support/ports.ts';
import type { Start } from '../support/processes.ts';
import { type DaemonProcess, makeSite } from '../support/site.ts';
import type { Version } from './content.ts';
import type { Setting } from './setting.ts';

/** A row to be written: the importers `a` and `b` have one each. */
export interface NewRow {
  readonly path: string;
  readonly feed: 'a' | 'b';
  readonly url: string;
  readonly checksum?: Version['checksum'];
  readonly size?: number;
}

/** A real daemon with its catalog. */
export interface Scene {
  readonly url: string;
  /** Writes a row as the newest of its path, in place of the same importer's. */
  list(row: NewRow): void;
  /** Stops the daemon, and starts it at the same address. */
  restart(): Promise<void>;
  /** Stops the daemon; resolves to what it wrote to its standard error. */
  close(): Promise<string>;
}

export const openScene = async (start: Start, folder: string, { keeps, dispatch }: Setting): Promise<Scene> => {
  const [port = 0] = await freePorts(1);
  const site = makeSite(start, folder, {
    port,
    cache_timeout: keeps,
    dispatch,
    // Nothing else differs from the defaults: these faults do not pass while the streamer waits.
    retry_wait: 0.01,
    retry_wait_limit: 0.02,
    stop_timeout: 1,
  });
  let daemon: DaemonProcess = await site.serve();
  const catalog = openSqliteCatalog(`${site.stateDir}/catalog.db`);
  const importers = { a: catalog.importers.add({ config: {} }).id, b: catalog.importers.add({ config: {} }).id };
  return {
    url: daemon.url,
    list: ({ path, feed, url, checksum, size }) => {
      catalog.entries.add({
        path,
        importerId: importers[feed],
        unitId: path,
        unitTypeId: 'rpm',
        url,
        ...(checksum && { checksum }),
        ...(size !== undefined && { size }),
        data: {},
      });
    },
    restart: async () => {
      await daemon.stop();
      daemon = await site.serve();
    },
    close: async () => {
      catalog.close();
      return (await daemon.stop()).stderr;
    },
  };
};
