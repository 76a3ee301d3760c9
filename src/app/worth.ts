import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { concatMap, interval, type Observable } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { makeFolder, replaceFile } from '../lib/private-files.ts';
import { messageOf } from '../lib/thrown.ts';
import { unlessMissing } from '../lib/unless-missing.ts';
import type { ByteCounter } from '../observe/count-bytes.ts';
import { type Day, dayOf, readDay } from '../observe/worth/day.ts';
import { createLedger } from '../observe/worth/ledger.ts';
import { latest } from './latest.ts';
import { prefixFinder } from './prefix-of.ts';
import { worthFolder } from './state-folder.ts';
import type { OpenStreamer } from './streamer.ts';

/** Milliseconds between two writings. */
const WRITE = 60_000;
/** Milliseconds between two readings of the catalog's repositories. */
const REREAD = 5_000;
/** Days that are kept. */
const KEPT = 400;
const DAY = 86_400_000;

const fileOf = (folder: string, day: string): string => join(folder, `${day}.json`);
const NAME = /^(\d{4}-\d{2}-\d{2})\.json$/;

/** The figures of `pulp-streamer report`, day by day. */
export interface Worth extends AsyncDisposable {
  /** Sees the sources that requests open. */
  readonly counter: ByteCounter;
  /** Adds what a worker has counted. */
  adopt(day: Day): void;
  /** Starts to count requests, and to write each minute. */
  start(streamer: OpenStreamer, finished: Observable<FinishedRequest>): void;
}

/** A disk that cannot be written loses counts, and is reported. Disposing writes what was counted. */
export const openWorth = async (settings: Settings, logger: Logger): Promise<Worth> => {
  const folder = worthFolder(settings);
  const report = (error: unknown) => logger.warn({ error: messageOf(error) }, 'figures of the report not written');
  const prefixes = knownPrefixes();
  const ledger = createLedger({
    known: (await readDays(folder, 1, Date.now()).catch(report))?.[0],
    now: Date.now,
    prefixOf: prefixes.of,
  });

  const write = async () => {
    try {
      for (let day = ledger.take(); day; day = ledger.take()) {
        await makeFolder(folder);
        await replaceFile(fileOf(folder, day.day), JSON.stringify(day));
      }
    } catch (error) {
      report(error);
    }
  };
  let counted: { unsubscribe(): void }[] = [];

  return {
    counter: ledger.counter,
    adopt: ledger.adopt,
    start: (streamer, finished) => {
      prefixes.open(streamer);
      counted = [finished.subscribe(ledger.finished), interval(WRITE).pipe(concatMap(write)).subscribe()];
      void forgetOld(folder).catch(report);
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of counted) one.unsubscribe();
      await write();
    },
  };
};

/** Counts the same in a worker. `send` gets what is new each minute, and at the end. */
export const createWorthOf = (send: (day: Day) => void): Omit<Worth, 'adopt'> => {
  const prefixes = knownPrefixes();
  const ledger = createLedger({ known: undefined, now: Date.now, prefixOf: prefixes.of });
  const tellAll = () => {
    for (let day = ledger.drain(); day; day = ledger.drain()) send(day);
  };
  let counted: { unsubscribe(): void }[] = [];
  return {
    counter: ledger.counter,
    start: (streamer, finished) => {
      prefixes.open(streamer);
      counted = [finished.subscribe(ledger.finished), interval(WRITE).subscribe(tellAll)];
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of counted) one.unsubscribe();
      tellAll();
    },
  };
};

/** The prefixes of the catalog's repositories, once there is a streamer. */
const knownPrefixes = () => {
  let repositories: () => readonly { readonly prefix: string }[] = () => [];
  let find = prefixFinder([]);
  let readAt = Number.NEGATIVE_INFINITY;
  const read = () => {
    const now = performance.now();
    if (now - readAt < REREAD) return find;
    readAt = now;
    try {
      find = prefixFinder(repositories());
    } catch {
      // The catalog reports its own errors. Until it answers, paths count by their first folders.
      find = prefixFinder([]);
    }
    return find;
  };
  return {
    open: (streamer: OpenStreamer) => {
      repositories = latest(() => streamer.usage.repositories?.() ?? []);
    },
    of: (path: string) => read()(path),
  };
};

/** The last days that something was counted on, today included, the oldest first. */
export const readDays = async (folder: string, days: number, now: number): Promise<readonly Day[]> => {
  const first = dayOf(now - (days - 1) * DAY);
  const names = (await unlessMissing(readdir(folder))) ?? [];
  const wanted = names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .filter((day) => day >= first && day <= dayOf(now))
    .sort();
  return Promise.all(wanted.map(async (day) => readDay(day, await figuresIn(fileOf(folder, day)))));
};

const figuresIn = async (file: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: damaged (${messageOf(error)}); remove it, and its day counts as nothing`, {
      cause: error,
    });
  }
};

const forgetOld = async (folder: string): Promise<void> => {
  const first = dayOf(Date.now() - KEPT * DAY);
  for (const name of (await unlessMissing(readdir(folder))) ?? []) {
    const day = NAME.exec(name)?.[1];
    if (day !== undefined && day < first) await rm(join(folder, name));
  }
};
