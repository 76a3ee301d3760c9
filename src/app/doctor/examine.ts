import type { Loaded } from '../../config/load.ts';
import type { Settings } from '../../config/schema.ts';
import { openFilesLimit } from '../../lib/open-files.ts';
import { fitOpenFiles, limitsOf } from '../http-limits.ts';
import { refusals } from '../refusals.ts';
import { tryBroker } from '../trials/broker.ts';
import { tryCatalog } from '../trials/catalog.ts';
import { type PlaceTrial, tryFeeds } from '../trials/feeds.ts';
import { tryObjects } from '../trials/objects.ts';
import { tryPorts } from '../trials/ports.ts';
import { examineCertificates } from './certificates.ts';
import { type Checkup, finding, fine, tried } from './checkup.ts';
import { type Asked, examineDaemon } from './daemon.ts';
import { examineDisk } from './disk.ts';
import { examineFiles } from './files.ts';

/**
 * Looks at a site, one area after the other: what `check-config --deep` tries, and what only a
 * running site shows. A configuration that the daemon would refuse ends it.
 */
export async function* examine(loaded: Loaded, asked: Asked): AsyncGenerator<Checkup> {
  const { settings, warnings } = loaded;
  yield* warnings.map((found) =>
    finding(
      'warning',
      'configuration',
      'a line',
      found,
      'correct or remove it; `pulp-streamer init` shows all settings',
    ),
  );
  const refused = await refusals(settings);
  yield* refused.map((found) => refusal(found));
  if (refused.length > 0) return;
  yield fine('configuration', 'settings', 'serve would accept them');
  yield* examineDaemon(asked, loaded);
  yield* await examineFiles(loaded);
  if (typeof asked === 'object' && 'status' in asked) yield examineOpenFiles(settings, asked.status.pid);
  // A running daemon has them.
  else
    yield* (await tryPorts(settings)).map((trial) =>
      tried('ports', trial, 'stop what uses it (ss -ltnp shows it), or set another port'),
    );
  const { trial, places } = await tryCatalog(settings);
  yield tried('catalog', trial, CATALOG_ADVICE[settings.catalogType]);
  yield* (await tryBroker(settings)).map((one) =>
    tried(
      'broker',
      one,
      'start it, or correct broker_url, its user and its permissions; saves wait in the outbox until then',
    ),
  );
  // The advice on codes is about feeds.
  yield* (await tryObjects(settings)).map(({ error: _, ...one }) =>
    tried(
      'object store',
      one,
      'start it, or correct save_url, save_endpoint, the keys and their permissions; feeds serve, and saves wait in the outbox until then',
    ),
  );
  const feeds = await tryFeeds(settings, places);
  yield* feeds.map((one) => tried('feeds', one, 'correct its descriptor or its importer'));
  yield* examineCertificates(settings, feeds, Date.now());
  yield* examineDisk(settings);
  yield examineClock(feeds);
}

/** A problem of the configuration, because of which nothing else can be looked at. */
export const refusal = (found: string): Checkup =>
  finding(
    'problem',
    'configuration',
    'settings',
    found,
    'correct it: docs/reference/configuration.md has every setting',
  );

const CATALOG_ADVICE: Readonly<Record<Settings['catalogType'], string>> = {
  sqlite: 'restore a backup (pulp-streamer restore), or correct owner, mode or free space of the file',
  shared: 'start its database, or correct shared_catalog_url',
  mongodb: 'start the database, or correct mongodb_url or the section [database]',
};

const examineOpenFiles = (settings: Settings, pid: number): Checkup => {
  const wanted = limitsOf(settings);
  const openFiles = openFilesLimit(`/proc/${pid}/limits`);
  const { transfers, connections } = fitOpenFiles(wanted, openFiles);
  const what = 'limit of open files';
  const found = openFiles === undefined ? 'unknown' : `${openFiles}`;
  return transfers === wanted.transfers && connections === wanted.connections
    ? fine('daemon', what, found)
    : finding(
        'warning',
        'daemon',
        what,
        `${found}: at most ${transfers} transfers and ${connections} connections`,
        'raise LimitNOFILE of the service (docs/how-to/tune.md), or lower max_transfers and max_client_connections',
      );
};

/** Milliseconds that a clock may differ: a field has whole seconds, and takes a while to arrive. */
const DIFFERENT = 30_000;
/** From here on, signed URLs and certificates are judged wrongly. */
const WRONG = 300_000;

/** Caches send old times: the feed that differs least counts. */
const examineClock = (feeds: readonly PlaceTrial[]): Checkup => {
  const [least] = feeds
    .flatMap(({ ahead, what }) => (ahead === undefined ? [] : [{ ahead, what }]))
    .toSorted((a, b) => Math.abs(a.ahead) - Math.abs(b.ahead));
  if (!least) return fine('clock', 'clock', 'not compared: no feed has stated its time');
  const { ahead, what } = least;
  const found = `${Math.abs(Math.round(ahead / 1000))} s ${ahead > 0 ? 'behind' : 'ahead of'} that of ${what}`;
  if (Math.abs(ahead) < DIFFERENT) return fine('clock', 'clock', found);
  return finding(
    Math.abs(ahead) < WRONG ? 'warning' : 'problem',
    'clock',
    'clock',
    found,
    'set it, and keep it right with NTP: timedatectl set-ntp true',
  );
};
