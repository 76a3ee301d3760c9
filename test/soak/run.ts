import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../src/saves/copies/names.ts';
import { startFaultyFeed } from '../faults/feed.ts';
import { seeded } from '../faults/random.ts';
import { QUICK } from '../faults/scene.ts';
import { createCertificates } from '../support/certificates.ts';
import { closedPort } from '../support/feeds.ts';
import { memoryOf, type Start } from '../support/run-process.ts';
import { tinyDisk } from '../support/tiny-disk.ts';
import { startClients } from './clients.ts';
import { contents } from './content.ts';
import { PULP } from './ends.ts';
import { importRepository } from './imports.ts';
import { judge } from './judge.ts';
import { createLedger } from './ledger.ts';
import { planFile, put, type SoakFile, type World } from './plan.ts';
import { openPulpSite } from './pulp.ts';
import { openStage } from './stage.ts';
import { createTally, type Tally } from './tally.ts';
import { startFlappingBroker, troublesOf } from './troubles.ts';

interface RunOptions {
  readonly seed: number;
  readonly transfers: number;
  /** Clients at a time. */
  readonly atOnce: number;
  /** Ends the run, without a result. */
  readonly stop?: AbortSignal;
  /** Nothing further is asked for; the result is that of what was. */
  readonly enough?: AbortSignal;
  /** Each line of the clients, as it is. */
  readonly said?: (text: string) => void;
  /** A broken promise, with all that is known about it, soon after it is found. */
  readonly onBroken?: (what: string) => void;
}

/** What a run found. */
export interface Result {
  readonly tally: Tally;
  /** Transfers that were asked for. */
  readonly transfers: number;
  /** Broken promises, each with all that is known about it. */
  readonly broken: readonly string[];
  /** How often each trouble happened. */
  readonly troubles: ReadonlyMap<string, number>;
  /** The most memory that the daemon had at the end of any of its lives. Bytes. */
  readonly peak: number;
}

/** Requests of each file, on average. */
const PER_FILE = 4;
/** Requests after which the daemon's log has told of a request. */
const TOLD_EVERY = 100;
/** Files between two imports. */
const IMPORT_EVERY = 150;
/** Mebibytes of the disk of saved copies. */
const DISK = 24;

/** A complete run. Rejects if it cannot take place; a broken promise is part of its result. */
export const runSoak = async (start: Start, newFolder: () => string, options: RunOptions): Promise<Result> => {
  const { seed, transfers, atOnce, said, onBroken, stop, enough } = options;
  await using opened = new AsyncDisposableStack();
  const random = seeded(seed);
  const contentOf = contents(seed);
  const ledger = createLedger();
  const tally = createTally();
  const broken: string[] = [];
  let untold: (readonly [what: string, file?: SoakFile, log?: readonly string[]])[] = [];
  const breaks = (what: string, file?: SoakFile) => {
    untold.push([what, file, file && ledger.accountOf(file.path)]);
  };
  const tell = () => {
    const told = untold.map(([what, file, log]) => [what, ...(file?.story ?? []), ...(log ?? [])].join('\n  '));
    untold = [];
    broken.push(...told);
    for (const what of told) onBroken?.(what);
  };
  const certificates = await createCertificates();
  const { server, expired, authority } = certificates;
  const feedOf = async (identity?: typeof server) =>
    opened.adopt(await startFaultyFeed(ledger, identity), (feed) => feed.close());
  const feeds = await Promise.all([1, 2, 3].flatMap(() => [feedOf(), feedOf(server)]));
  const expiredFeed = await feedOf(expired);
  const broker = opened.adopt(await startFlappingBroker(), ({ close }) => close());
  const disk = opened.adopt(tinyDisk(DISK), (mounted) => mounted?.free());
  const saved = join(disk?.folder ?? newFolder(), 'saved');
  mkdirSync(saved, { recursive: true });
  const checked = { content: 'check', size: 100, framing: 'length', faults: [] } as const;
  put(feeds[0]!, '/check', checked, { contentOf });
  const staged = await openStage(start, newFolder, {
    ca: authority.cert,
    importers: feeds.length,
    settings: { save_dir: saved, broker_url: broker.url },
    logged: ledger.logged,
    checkUrl: `${feeds[0]!.url}/check`,
  });
  // Before the disk goes: a living daemon would make its folder again, outside of it.
  const stage = opened.adopt(staged, ({ end }) => end());
  const site = await openPulpSite(start, newFolder, {
    ...{ ca: authority.cert, importers: feeds.length, checkUrl: `${feeds[0]!.url}/check` },
    ...{ logged: ledger.logged, outages: stage.outages },
  });
  const pulp = opened.adopt(site, ({ close }) => close());
  const urls = new Map([...stage.ends, [PULP, pulp.url]]);
  const world: World = {
    feeds,
    dead: [`http://127.0.0.1:${await closedPort()}`, expiredFeed.url],
    contentOf,
    wholeBelow: QUICK.verify_whole_below,
    ends: [...stage.ends.keys()],
  };
  const files = new Map<number, SoakFile>();
  /** Paths of the site of Pulp that nobody will ask for again. */
  const gone: string[] = [];
  ledger.counting(tally);
  let over = 0;
  let peak = 0;
  let requests = 0;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const stopped = () => fail(stop?.reason);
  stop?.addEventListener('abort', stopped);
  if (stop?.aborted) stopped();
  const waiting = new Set<() => void>();
  const until = (condition: () => boolean) =>
    Promise.race([
      failed,
      new Promise<void>((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    ]);

  const happen = troublesOf({
    stage,
    saved,
    ...(disk && { disk: { folder: disk.folder, mebibytes: DISK } }),
    ...{ broker, pulp },
    random: seeded(seed ^ 0x7407),
    further: (count) => {
      const enough = Math.min(requests + count, requests + files.size);
      return until(() => requests >= enough || files.size === 0);
    },
    harmed: (_, key) => ledger.harmed(key),
  });
  const troubles = new Map(happen.map(({ name }) => [name, 0]));
  /** What changes the catalog or the daemon is done one after the other. */
  let queue: Promise<unknown> = Promise.resolve();
  let isOver = false;
  const inQueue = <T>(act: () => T | Promise<T>): Promise<T> => {
    const done = queue.then(() => {
      if (isOver) throw new Error('the run is over');
      return act();
    });
    queue = done.catch(fail);
    return done;
  };

  const clients = startClients(seed, atOnce, (line, text) => {
    said?.(text);
    const file = files.get(line.number)!;
    requests += 1;
    const isAway = stage.outages.touched(file.end, line.began, line.ended);
    const verdict = judge(line, file, {
      killed: file.end !== PULP && isAway,
      withoutDatabase: file.end === PULP && isAway,
      ...ledger.about(file.path),
      cuts: ledger.cutsOf(line.number),
    });
    if (verdict.counts === 'lie') ledger.cut(line.number);
    tally.add(line, file, verdict);
    if (file.end === PULP && line.asked === 'whole' && verdict.counts === 'right') pulp.completed(file);
    // Before this one, of which the log may not have told yet.
    if (requests % TOLD_EVERY === 0) tell();
    if (verdict.broken) breaks(`at ${file.end}: ${verdict.broken}: ${text}`, file);
    if (line.over) {
      over += 1;
      files.delete(line.number);
      if (ledger.leave(file.path, line.number) && file.end === PULP) gone.push(file.path);
    }
    for (const { name, every, act } of happen) {
      if (requests % every > 0) continue;
      void inQueue(async () => {
        if (name === 'kills') peak = Math.max(peak, memoryOf(stage.daemon().pid).peak);
        if ((await act()) !== false) troubles.set(name, troubles.get(name)! + 1);
      }).catch(fail);
    }
    for (const look of waiting) look();
  });

  let number = 0;
  const isEnough = () => number >= transfers || enough?.aborted === true;
  const askFor = async (some: readonly SoakFile[]) => {
    const jobs = some.flatMap((file) => Array.from({ length: random.whole(1, 2 * PER_FILE - 1) }, () => file));
    jobs.sort(() => random.next() - 0.5);
    for (const file of jobs) ledger.expect(file, keyOfCopy(file));
    for (const file of jobs) {
      if (isEnough()) return;
      await until(() => files.size < 2 * atOnce);
      number += 1;
      files.set(number, file);
      const { kind, content, size, path, end } = file;
      await clients.ask({ number, class: kind, url: urls.get(end)! + path, content, size });
    }
  };

  const list = (some: readonly SoakFile[]) => {
    stage.list(some.filter(({ end }) => end !== PULP));
    return pulp.list(
      some.filter(({ end }) => end === PULP),
      gone.splice(0),
    );
  };

  try {
    let planned = 0;
    let imports = 0;
    let imported: Promise<readonly SoakFile[]> = Promise.resolve([]);
    while (!isEnough()) {
      const some = Array.from({ length: 30 }, () => {
        planned += 1;
        return planFile(planned, random, world);
      });
      await Promise.race([failed, inQueue(() => list(some))]);
      await askFor(some);
      if (planned % IMPORT_EVERY > 0) continue;
      await askFor(await imported);
      imports += 1;
      imported = importRepository(imports, { stage, world, random, feed: feeds[0]!, mirror: feeds[2]! });
      imported.catch(fail);
    }
    await until(() => over >= number);
    await Promise.race([failed, queue]);
    await imported;
    troubles.set('imports', imports);
    await clients.end();
    peak = Math.max(peak, memoryOf(stage.daemon().pid).peak);
    const stderr = await stage.close();
    const ofPulp = await pulp.settle();
    for (const what of [...(stderr === '' ? [] : [`the daemon wrote: ${stderr}`]), ...ofPulp]) breaks(what);
  } finally {
    tell();
    isOver = true;
    clients.kill();
  }
  return { tally, transfers: number, broken, troubles, peak };
};

const keyOfCopy = ({ path, checksum }: SoakFile): string =>
  keyOf({ path, checksum, importerId: '', unitId: '', unitTypeId: '', url: '', revision: 1, data: {} });
