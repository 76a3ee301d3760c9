import type { Ledger as FeedLedger } from '../faults/feed.ts';
import type { LogLine } from '../support/site.ts';
import type { SoakFile } from './plan.ts';
import type { Tally } from './tally.ts';

interface Account {
  readonly file: SoakFile;
  readonly key: string;
  /** Jobs that will ask for it. */
  jobs: number;
  lies: number;
  faults: number;
  readonly log: string[];
}

/** What happened to each file while clients ask for it; nothing of those that are done. */
export interface Ledger extends FeedLedger {
  counting(tally: Tally): void;
  expect(file: SoakFile, key: string): void;
  /** Returns whether no other job will ask for the file. */
  leave(path: string, job: number): boolean;
  about(path: string): { readonly lies: number; readonly faults: number };
  /** A lie has cost a job a response. */
  cut(job: number): void;
  cutsOf(job: number): number;
  harmed(key: string | undefined): void;
  readonly logged: (line: LogLine) => void;
  accountOf(path: string): readonly string[];
}

/** Files that are done, and still known. */
const KEPT = 500;

/** The path of a file, of its path at a feed. */
const pathOf = (feedPath: string) =>
  feedPath.replace(/^\/\d+(?=\/)/, '').replace(/^\/(imported|mirror)\//, '/content/imported/');

export const createLedger = (): Ledger => {
  const accounts = new Map<string, Account>();
  const cuts = new Map<number, number>();
  const done: string[] = [];
  let tally: Tally | undefined;
  return {
    counting: (counted) => {
      tally = counted;
    },
    expect: (file, key) => {
      const account = accounts.get(file.path) ?? { file, key, jobs: 0, lies: 0, faults: 0, log: [] };
      account.jobs += 1;
      accounts.set(file.path, account);
    },
    leave: (path, job) => {
      cuts.delete(job);
      const account = accounts.get(path);
      if (!account) return false;
      account.jobs -= 1;
      if (account.jobs > 0) return false;
      // Its last lines in the daemon's log may still come.
      done.push(path);
      if (done.length > KEPT) accounts.delete(done.shift()!);
      return true;
    },
    note: (feedPath, fault, where) => {
      const account = accounts.get(pathOf(feedPath));
      if (!account) return;
      account.faults += 1;
      if (account.file.lies.has(fault)) account.lies += 1;
      account.log.push(`feed: ${feedPath.split('/')[1]}: ${fault.kind} ${where}`);
    },
    sent: (feedPath, bytes) => {
      const account = accounts.get(pathOf(feedPath));
      if (account) tally?.fetched(account.file, bytes);
    },
    about: (path) => accounts.get(path) ?? { lies: 0, faults: 0 },
    cut: (job) => cuts.set(job, (cuts.get(job) ?? 0) + 1),
    cutsOf: (job) => cuts.get(job) ?? 0,
    harmed: (key) => {
      if (key === undefined) return;
      for (const account of accounts.values()) {
        if (account.key !== key) continue;
        account.faults += 1;
        account.log.push('its saved copy was damaged');
      }
    },
    logged: (line) => {
      if (line.msg !== 'request') return;
      accounts.get(String(line.path))?.log.push(`daemon: ${brief(line)}`);
    },
    accountOf: (path) => accounts.get(path)?.log ?? [],
  };
};

interface Attempt {
  readonly source: string;
  readonly url: string;
  readonly from: number;
  readonly failure?: { readonly code: string; readonly message: string };
}

const brief = ({ method, status, attempts, outcome, code, bytes, range }: LogLine): string =>
  [
    `${method} ${status} ${range ?? ''}`,
    ...((attempts ?? []) as readonly Attempt[]).map(
      ({ source, url, from, failure }) =>
        `${source} ${url.slice(0, 26)} from ${from} ${failure ? `${failure.code} ${failure.message.slice(-80)}` : 'ok'}`,
    ),
    `${outcome} after ${bytes} bytes ${code ?? ''}`,
  ].join(' / ');
