import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { filter, type Observable } from 'rxjs';
import { keyOf } from '../../src/saves/copies/names.ts';
import { createCertificates } from '../support/certificates.ts';
import { filesBelow } from '../support/folder.ts';
import { openOf, type Start } from '../support/processes.ts';
import type { DaemonProcess, LogLine } from '../support/site.ts';
import { startSquid } from '../support/squid.ts';
import { until } from '../support/until.ts';
import { ask } from './client.ts';
import { harmOne } from './gremlin.ts';
import { inLines } from './in-lines.ts';
import { type Ends, judge } from './judge.ts';
import { heldBy, tellingMemory } from './memory.ts';
import { planTransfer, type Transfer } from './plan.ts';
import { seaOfBytes, seeded } from './random.ts';
import { checksumOf, type Feeds, type Listing, openScene, QUICK, startFeeds } from './scene.ts';
import { createLedger, createTally, type Tally } from './tally.ts';
import { within } from './within.ts';

interface RunOptions {
  readonly seed: number;
  readonly transfers: number;
  /** The number of transfers in progress at a time. */
  readonly atOnce: number;
}

const MEBIBYTE = 1 << 20;
/**
 * Memory that the daemon may keep after the run, in addition to that before: compiled code, the
 * state of sources and copies.
 */
const MEMORY = 8 * MEBIBYTE;

/**
 * A complete run: transfers under random faults against a real daemon, directly and through a real
 * Squid.
 */
export const runTransfers = async (
  start: Start,
  newFolder: () => string,
  { seed, transfers: count, atOnce }: RunOptions,
): Promise<Tally> => {
  const folder = newFolder();
  const tally = createTally();
  const random = seeded(seed);
  const byPath = new Map<string, Transfer>();
  const ledger = createLedger(tally, (path, fault) => byPath.get(path)?.lies.has(fault) ?? false);
  const { feeds, ca } = await startFeeds(ledger, await createCertificates());
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const world = { sea: seaOfBytes(8 << 20, seed), feeds, folder: disk, wholeBelow: QUICK.verify_whole_below };
  const transfers = Array.from({ length: count }, (_, index) => planTransfer(index, random, world));
  for (const transfer of transfers) byPath.set(transfer.listing.path, transfer);
  feeds.plain.resources.set(WARM.path, { bytes: WARM.bytes, framing: 'length', faults: [] });
  const warm = { path: WARM.path, urls: [feeds.plain.url + WARM.path], checksum: checksumOf(WARM.bytes) };
  const listings = [warm, ...transfers.map(({ listing }) => listing)];
  const { site, daemon } = await openScene(tellingMemory(start, folder), folder, { listings, ca });
  const saved = join(site.stateDir, 'saved');
  const squid = await startSquid(start, newFolder(), daemon.url);
  const histories = countLog(daemon.log, tally, feeds);
  const pathOfCopy = new Map(transfers.map(({ listing }) => [keyOfCopy(listing), listing.path]));
  await warmUp(daemon);
  await until(() => feeds.open() === 0);
  const opened = openOfTransfers(daemon.pid);
  const before = opened.length;
  const held = await heldBy(daemon.pid, folder);

  const saves = new Set<unknown>();
  daemon.log.pipe(filter(({ msg }) => msg === 'saved')).subscribe(({ path }) => saves.add(path));
  const isSaved = (path: string) => within(2_000, () => saves.has(path));

  const ends: Ends = { daemon: daemon.url, squid: squid.url };
  let done = 0;
  await inLines(atOnce, transfers.values(), async (transfer) => {
    await judge(transfer, ends, tally, ledger.liesAbout, isSaved);
    done += 1;
    if (done % 10 > 0) return;
    const harmed = await harmOne(saved, random);
    if (!harmed) return;
    tally.fault(`${harmed.what}: ${harmed.how}`);
    // Bytes changed during a transfer are detected at its end at the earliest.
    if (harmed.key) ledger.lied(pathOfCopy.get(harmed.key) ?? '');
  });
  await squid.stop();
  const partials = () => filesBelow(join(saved, '.partial')).filter((name) => !name.endsWith('.lock')).length;
  const open = () => openOfTransfers(daemon.pid).length + feeds.open();
  // Anything still open after this time is leaked: connections close after a second, copies are done
  // earlier, and what waits on disk for a client goes after little more than a minute.
  await within(90_000, () => open() <= before && partials() === 0);
  tally.add('descriptors', Math.max(0, open() - before));
  if (open() > before)
    tally.broken.unshift({ what: 'left open', feeds: feeds.open(), before: opened, now: openOfTransfers(daemon.pid) });
  tally.add('partials', partials());
  // Unused buffers go a few seconds after the last transfer.
  const last = performance.now() + 30_000;
  let grown: number;
  do grown = (await heldBy(daemon.pid, folder)) - held;
  while (grown > MEMORY && performance.now() < last);
  tally.add('held', Math.round(grown / MEBIBYTE));
  tally.add('leaked', Math.ceil(Math.max(0, grown - MEMORY) / MEBIBYTE));
  const { status, stderr } = await daemon.stop();
  if (status !== 0 || stderr !== '') tally.broken.push({ what: `the daemon ended with ${status}: ${stderr}` });
  await feeds.close();
  const ofSquid = squid.accessLog().split('\n');
  const broken = tally.broken.map(({ path = '', ...one }) => ({
    ...one,
    path,
    log: (histories.get(path) ?? []).map(brief),
    squid: path === '' ? [] : ofSquid.filter((line) => line.includes(path)),
  }));
  return { ...tally, broken };
};

const WARM = { path: '/content/warm.rpm', bytes: Buffer.from('warm') };

/**
 * Sockets and files that a transfer may leave open. Those of databases and threads do not count.
 */
const openOfTransfers = (pid: number): readonly string[] =>
  openOf(pid).filter((name) => name.startsWith('socket:') || (name.startsWith('/') && !/\.db(-\w+)?$/.test(name)));

/** A first transfer from feed to saved copy: anything that it opens permanently is not a leak. */
const warmUp = async ({ url, logged }: DaemonProcess): Promise<void> => {
  await ask(url + WARM.path);
  await logged('saved');
};

const keyOfCopy = ({ path, checksum }: Listing): string =>
  keyOf({ path, checksum, importerId: '', unitId: '', unitTypeId: '', url: '', revision: 1, data: {} });

interface Attempt {
  readonly source: string;
  readonly url: string;
  readonly from: number;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A request's history on a few lines. */
const brief = ({ attempts, outcome, code, error, bytes }: LogLine): string =>
  [
    ...((attempts ?? []) as readonly Attempt[]).map(({ source, url, from, failure }) =>
      [source, url.slice(0, 26), from, failure?.code ?? 'ok', failure?.message.split(': ').slice(1).join(': ')].join(
        ' ',
      ),
    ),
    `${outcome} after ${bytes} bytes ${code ?? ''}${code === 'INTERNAL' ? error : ''}`,
  ].join(' / ');

/**
 * Counts what only the daemon's log shows. Returns its log lines by path, which grow during the
 * run.
 */
const countLog = (log: Observable<LogLine>, tally: Tally, feeds: Feeds): ReadonlyMap<string, readonly LogLine[]> => {
  const histories = new Map<string, LogLine[]>();
  const named: readonly (readonly [url: string, fault: string])[] = [
    [`${feeds.nobody.url}/`, 'connection refused'],
    [`${feeds.expired.url}/`, 'expired certificate'],
    [`${feeds.stranger.url}/`, 'untrusted certificate'],
  ];
  log.pipe(filter(({ msg }) => msg === 'request')).subscribe((line) => {
    const { attempts, outcome, path, shared } = line;
    histories.set(String(path), [...(histories.get(String(path)) ?? []), line]);
    // Its attempts are in another line.
    if (shared) return;
    const tried = (attempts ?? []) as readonly Attempt[];
    for (const { url, source, failure } of tried) {
      if (!failure) continue;
      for (const [start, fault] of named) if (url.startsWith(start)) tally.fault(fault, 'before the head');
      if (source === 'feed:file') tally.fault(`file: ${failure.code}`);
    }
    const [first, last] = [tried[0], tried.at(-1)];
    if (outcome !== 'complete' || !first || !last) return;
    if (last.from > first.from) tally.add('resumed');
    if (last.url !== first.url) tally.add('failed over');
    if (last.source === 'saved') tally.add('saved');
  });
  return histories;
};
