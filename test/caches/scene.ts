import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { freePorts } from '../support/ports.ts';
import type { Start } from '../support/processes.ts';
import { type DaemonProcess, type LogLine, makeSite } from '../support/site.ts';
import type { Version } from './content.ts';
import type { Setting } from './setting.ts';

/** A row to write. The importers `a` and `b` have one each. */
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
  /** Writes a row as the newest of its path, in place of the row of the same importer. */
  list(row: NewRow): void;
  /** The daemon's log of the last requests for a path. */
  account(path: string): readonly string[];
  /** Stops the daemon, and starts it at the same address. */
  restart(): Promise<void>;
  /** Stops the daemon. Resolves to its standard error. */
  close(): Promise<string>;
}

/** Lines kept of each path. */
const ACCOUNTS = 6;

interface Attempt {
  readonly source: string;
  readonly from: number;
  readonly failure?: { readonly message: string };
}

const brief = ({ method, status, outcome, code, bytes, attempts }: LogLine): string => {
  const tried = ((attempts ?? []) as readonly Attempt[]).map(
    ({ source, from, failure }) => `${source} from ${from}${failure ? ` (${failure.message})` : ''}`,
  );
  return [`  daemon: ${method} ${status} ${outcome} ${code ?? ''} after ${bytes} bytes`, ...tried].join('; ');
};

export const openScene = async (start: Start, folder: string, { keeps, dispatch }: Setting): Promise<Scene> => {
  const [port = 0] = await freePorts(1);
  const site = makeSite(start, folder, {
    port,
    cache_timeout: keeps,
    dispatch,
    // Shorter than the defaults: these faults do not pass while the streamer waits.
    retry_wait: 0.01,
    retry_wait_limit: 0.02,
    // A feed of a story recovers at once, under the same tag. Wrong content of it is not remembered.
    cooldown: 0,
    stop_timeout: 1,
  });
  const accounts = new Map<string, readonly string[]>();
  const serve = async (): Promise<DaemonProcess> => {
    const served = await site.serve();
    served.log.subscribe((line) => {
      if (line.msg !== 'request') return;
      const path = String(line.path);
      accounts.set(path, [...(accounts.get(path) ?? []), brief(line)].slice(-ACCOUNTS));
    });
    return served;
  };
  let daemon = await serve();
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
    account: (path) => accounts.get(path) ?? [],
    restart: async () => {
      await daemon.stop();
      daemon = await serve();
    },
    close: async () => {
      catalog.close();
      return (await daemon.stop()).stderr;
    },
  };
};
