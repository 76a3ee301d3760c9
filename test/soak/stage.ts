import { globSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { CACHES } from '../caches/caches.ts';
import { QUICK } from '../faults/scene.ts';
import { freePorts } from '../support/ports.ts';
import { ownEnvironment, type Start } from '../support/run-process.ts';
import { type DaemonProcess, type LogLine, makeSite, type Site } from '../support/site.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { ALONE } from './ends.ts';
import { isProven } from './kinds.ts';
import { createOutages, type Outages } from './outages.ts';
import type { SoakFile } from './plan.ts';

/** Machines may be busy; and clients come again sooner than a source that failed may be tried first. */
export const PATIENT = { verify_whole_within: 5, cooldown: 2, cooldown_limit: 10 };

/** What the catalog lists of a file. */
export type Listed = Pick<SoakFile, 'path' | 'urls' | 'kind' | 'checksum' | 'size' | 'sized'>;

/** The daemon under test, with its catalog, and every shipped cache in front of it. */
export interface Stage {
  readonly site: Site;
  readonly ends: ReadonlyMap<string, string>;
  readonly outages: Outages;
  /** Lists files while the daemon runs. */
  list(files: readonly Listed[]): void;
  /** SIGKILL, and a new daemon that saves in this way. Resolves once every end answers again. */
  kill(dispatch: string): Promise<void>;
  /** Sets the clock of the daemon, in seconds from now; the monotonic one stays. */
  setClock(offset: number): void;
  daemon(): DaemonProcess;
  /** Stops the daemon. Resolves to what daemons wrote to their standard error. */
  close(): Promise<string>;
  /** Ends the daemon, also one that is being started, and starts no other. */
  end(): Promise<void>;
}

interface Options {
  readonly ca: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly importers: number;
  readonly logged: (line: LogLine) => void;
  /** A URL that always has the content of an end's check. */
  readonly checkUrl: string;
}

export const openStage = async (start: Start, newFolder: () => string, options: Options): Promise<Stage> => {
  const { ca, settings, importers: count, logged, checkUrl } = options;
  const home = newFolder();
  const clock = join(home, 'clock');
  const setClock = (offset: number) => {
    writeFileSync(clock, `${offset < 0 ? '-' : '+'}${Math.abs(offset)}s\n`);
    utimesSync(clock, new Date(), new Date());
  };
  setClock(0);
  const [port = 0] = await freePorts(1);
  mkdirSync(join(home, 'state'));
  const site = makeSite(inFakeTime(start, clock), home, { ...QUICK, ...PATIENT, port, ...settings });
  const errors: string[] = [];
  let isOver = false;
  const serve = async (dispatch: string) => {
    if (isOver) throw new Error('the run is over');
    const served = await site.serve('--dispatch', dispatch);
    served.log.subscribe(logged);
    served.ended.then(({ stderr }) => errors.push(stderr));
    return served;
  };
  let serving = serve('save');
  let daemon = await serving;
  const catalog = openSqliteCatalog(join(site.stateDir, 'catalog.db'));
  const importers = Array.from({ length: count }, () => catalog.importers.add({ config: { ssl_ca_cert: ca } }));
  const caches = CACHES.filter(({ program }) => missingTools([program]).length === 0);
  const ends = new Map([[ALONE, daemon.url]]);
  for (const cache of caches) ends.set(cache.name, (await cache.start(start, newFolder(), daemon.url)).url);
  const outages = createOutages();

  const list: Stage['list'] = (files) => {
    const staging = catalog.entries.stage();
    staging.write(
      rowsOf(
        files,
        importers.map(({ id }) => id),
      ),
    );
    staging.publishAsIs();
  };

  let checks = 0;
  /** Resolves once an end has fetched something from the daemon. */
  const answers = async (url: string) => {
    checks += 1;
    const check = checkOf(checkUrl, checks);
    list([check]);
    await answered(url + check.path);
  };

  return {
    site,
    ends,
    outages,
    list,
    kill: async (dispatch) => {
      const back = new Map([...ends.keys()].map((name) => [name, outages.begin(name)]));
      daemon.kill('SIGKILL');
      await daemon.ended;
      serving = serve(dispatch);
      daemon = await serving;
      await Promise.all([...ends].map(([name, url]) => answers(url).then(back.get(name))));
    },
    setClock,
    daemon: () => daemon,
    close: async () => {
      catalog.close();
      const { status } = await daemon.stop();
      return [...errors, ...(status === 0 ? [] : [`ended with ${status}`])].join('');
    },
    end: async () => {
      isOver = true;
      const last = await serving.catch(() => daemon);
      last.kill('SIGKILL');
      await last.ended;
    },
  };
};

const NO_CHECKSUM = { algorithm: 'sha256', value: '' } as const;

/** A file that nobody has asked for yet: it shows whether a daemon answers. */
export const checkOf = (checkUrl: string, number: number): Listed => ({
  ...{ path: `/check/${number}`, urls: [`${checkUrl}?${number}`] },
  ...{ kind: 'nothing', sized: false, size: 0, checksum: NO_CHECKSUM },
});

/** Resolves once a URL is answered with a file. */
export const answered = (url: string): Promise<void> =>
  until(() =>
    fetch(url).then(
      async (response) => (await response.arrayBuffer()) && response.ok,
      () => false,
    ),
  );

/** The unit of a file. */
export const unitOf = (path: string): string => `unit of ${path}`;

/** The entries of files, oldest first. The importer of each source is the one at its place. */
export const rowsOf = (files: readonly Listed[], importers: readonly string[]) =>
  files.flatMap((file) =>
    file.urls
      .map((url, index) => ({
        path: file.path,
        importerId: importers[index]!,
        unitId: unitOf(file.path),
        unitTypeId: 'rpm',
        url,
        ...(isProven(file.kind) && { checksum: file.checksum }),
        ...(file.sized && { size: file.size }),
        revision: 1,
        data: {},
      }))
      // The newest entry of a path is tried first.
      .reverse(),
  );

/** Starts Node processes with a clock that a file sets, if the library is installed. */
const inFakeTime = (start: Start, clock: string): Start => {
  const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  if (library === undefined) return start;
  const faked = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return (command, args, options = {}) =>
    command === process.execPath
      ? start(command, args, { ...options, env: { ...(options.env ?? ownEnvironment()), ...faked } })
      : start(command, args, options);
};
