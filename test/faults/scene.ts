import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Checksum, ChecksumAlgorithm } from '../../pipelines/index.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import type { Certificates } from '../support/certificates.ts';
import { closedPort } from '../support/feeds.ts';
import type { Start } from '../support/processes.ts';
import { type DaemonProcess, makeSite, type Site } from '../support/site.ts';
import { type FaultyFeed, type Ledger, startFaultyFeed } from './feed.ts';

/**
 * Short times, for a quick run: three seconds instead of 27 in the field, but enough for a busy
 * machine.
 */
export const QUICK = {
  connect_timeout: 3,
  head_timeout: 3,
  read_timeout: 3,
  idle_timeout: 1,
  retry_wait: 0.02,
  retry_wait_limit: 0.2,
  cooldown: 0.2,
  cooldown_limit: 2,
  min_speed: 300,
  min_speed_window: 2,
  verify_whole_below: 131_072,
  stop_timeout: 5,
};

/**
 * Feeds of every kind: good and faulty, in clear and over TLS, with invalid certificates, and one
 * that is not running.
 */
export interface Feeds {
  readonly plain: FaultyFeed;
  readonly secure: FaultyFeed;
  readonly expired: FaultyFeed;
  readonly stranger: FaultyFeed;
  readonly nobody: { readonly url: string; readonly port: number };
  /** The number of open connections. */
  open(): number;
  close(): Promise<void>;
}

export const startFeeds = async (ledger: Ledger, { authority, stranger, server, expired }: Certificates) => {
  const strangers = await stranger.server(['localhost', '127.0.0.1']);
  const identities = [undefined, server, expired, strangers];
  const all = await Promise.all(identities.map((identity) => startFaultyFeed(ledger, identity)));
  const [plain, secure, expiredFeed, strangerFeed] = all as [FaultyFeed, FaultyFeed, FaultyFeed, FaultyFeed];
  const port = await closedPort();
  const feeds: Feeds = {
    plain,
    secure,
    expired: expiredFeed,
    stranger: strangerFeed,
    nobody: { port, url: `http://127.0.0.1:${port}` },
    open: () => all.reduce((sum, { open }) => sum + open.size, 0),
    close: async () => {
      await Promise.all(all.map((feed) => feed.close()));
    },
  };
  return { feeds, ca: authority.cert };
};

export const checksumOf = (bytes: Uint8Array, algorithm: ChecksumAlgorithm = 'sha256'): Checksum => ({
  algorithm,
  value: createHash(algorithm).update(bytes).digest('hex'),
});

/** A path and the places of its content, best first: each place is an entry of another importer. */
export interface Listing {
  readonly path: string;
  readonly urls: readonly string[];
  readonly checksum?: Checksum;
  readonly size?: number;
}

/** Writes listings into the site's catalog; the daemon may be running. */
export const list = (site: Site, listings: readonly Listing[], ca?: string): void => {
  const catalog = openSqliteCatalog(catalogOf(site));
  try {
    const most = Math.max(...listings.map(({ urls }) => urls.length));
    const importers = Array.from({ length: most }, () =>
      catalog.importers.add({ config: ca ? { ssl_ca_cert: ca } : {} }),
    );
    const staging = catalog.entries.stage();
    staging.write(
      listings.flatMap(({ path, urls, checksum, size }) =>
        urls
          .map((url, index) => ({
            path,
            importerId: importers[index]!.id,
            unitId: `unit of ${path}`,
            unitTypeId: 'rpm',
            url,
            ...(checksum && { checksum }),
            ...(size !== undefined && { size }),
            revision: 1,
            data: {},
          }))
          // The newest entry of a path is tried first.
          .reverse(),
      ),
    );
    staging.publishAsIs();
  } finally {
    catalog.close();
  }
};

export const catalogOf = ({ stateDir }: Site): string => join(stateDir, 'catalog.db');

export interface Scene {
  readonly site: Site;
  readonly daemon: DaemonProcess;
  readonly saved: string;
}

/** A site with these listings, and its daemon. */
export const openScene = async (
  start: Start,
  folder: string,
  {
    listings,
    ca,
    settings = {},
  }: { listings: readonly Listing[]; ca?: string; settings?: Record<string, string | number> },
): Promise<Scene> => {
  const site = makeSite(start, folder, { ...QUICK, ...settings });
  if (listings.length > 0) list(site, listings, ca);
  return { site, daemon: await site.serve(), saved: join(site.stateDir, 'saved') };
};
