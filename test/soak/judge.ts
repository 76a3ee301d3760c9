import type { Line } from './clients.ts';
import { isCache } from './ends.ts';
import { isProven } from './kinds.ts';
import type { SoakFile } from './plan.ts';

/** What happened to a file while a client asked for it. */
export interface Happened {
  /** The daemon was killed, and not yet seen again at this end. */
  readonly killed: boolean;
  /** The database of its catalog was away. */
  readonly withoutDatabase: boolean;
  /** Wrong contents that its sources sent, at any time so far. */
  readonly lies: number;
  /** All faults of its sources and of its copies so far. */
  readonly faults: number;
  /** Earlier requests of the same client that a lie has cost. */
  readonly cuts: number;
}

export interface Verdict {
  readonly counts: 'right' | 'wrong' | 'lie' | 'killed' | 'noDatabase' | 'cut' | 'refused' | 'left' | 'hang';
  /** The broken promise. */
  readonly broken?: string;
}

/**
 * Compares one line of a client with the promises of docs/explanation/reliability.md: nothing is
 * allowed that the page does not state.
 */
export const judge = (line: Line, file: SoakFile, happened: Happened): Verdict => {
  const { outcome } = line;
  if (outcome === 'right' || outcome === 'left') return { counts: outcome };
  // Being killed is no excuse for wrong bytes.
  if (outcome === 'wrong') return judgeWrong(line, file, happened);
  if (happened.withoutDatabase && lacksDatabase(line, file)) return { counts: 'noDatabase' };
  if (happened.killed) return { counts: 'killed' };
  if (outcome === 'hang') return { counts: 'hang', broken: 'it hung' };
  // One source says that there is nothing, another one fails: an error does not hide that.
  if (!file.good || line.asked === 'beyond') return { counts: outcome };
  // A cache answers with an error page if it was cut off before it sent any byte.
  const cut = outcome === 'cut' || isCache(file.end);
  if (cut && mayBeCut(line, file, happened)) return { counts: happened.lies > happened.cuts ? 'lie' : 'cut' };
  return { counts: outcome, broken: 'it had a good source and did not complete' };
};

/**
 * Whether a request was refused for want of the database, or because its answers had come so late that no time
 * was left; or broken off because another source, whose credentials the database did not give, had to take over.
 */
const lacksDatabase = ({ outcome, status, note }: Line, { urls }: SoakFile): boolean =>
  (status === 503 && note.includes('CATALOG_UNAVAILABLE')) ||
  (status === 504 && note.includes('ANSWER_TIMEOUT')) ||
  (outcome === 'cut' && urls.length > 1);

const isPart = ({ asked, fields }: Line): boolean => asked === 'part' || 'Range' in fields;

const judgeWrong = ({ asked, status }: Line, { kind, sized }: SoakFile, { lies }: Happened): Verdict => {
  const isWhole = status === 200 && asked !== 'head';
  // HEAD reads no body: only a size in the catalog proves a length.
  const proven = asked === 'head' ? sized : isProven(kind) && (kind === 'small' || isWhole);
  return proven || lies === 0 ? { counts: 'wrong', broken: 'it ended cleanly and was wrong' } : { counts: 'wrong' };
};

/** Milliseconds: the default of `verify_whole_within`. */
const VERIFY_WHOLE_WITHIN = 1_000;

const mayBeCut = (line: Line, { kind, end }: SoakFile, { lies, faults, cuts }: Happened): boolean => {
  // It is verified before its head, unless it comes too slowly for that.
  if (kind === 'small') return lies > cuts && line.ended - line.began >= VERIFY_WHOLE_WITHIN;
  // A part that is cut from the whole has a head before its bytes are there, and the whole may prove wrong by then,
  // even before that head has left.
  if (isPart(line) && (line.status === 206 || line.status === 0) && isProven(kind) && lies > 0) return true;
  // Until the first byte every source may be replaced. A cache may have more than it passed on.
  if (line.bytes === 0 && !isCache(end)) return false;
  // No other source may continue what nothing proves to be the same.
  if (!isProven(kind)) return faults > 0;
  // A part with wrong bytes is not known to be wrong, until the source that is to continue it has others.
  if (isPart(line)) return lies > 0;
  return lies > cuts;
};
