import { ask, cutTooLate, type Manner, type Outcome } from './client.ts';
import type { Transfer } from './plan.ts';
import type { Tally } from './tally.ts';

/** The URLs that clients use. */
export interface Ends {
  readonly daemon: string;
  readonly squid: string;
}

const READING: Manner = { kind: 'reads' };

/**
 * Performs a transfer as planned, with repetitions if due, and compares every outcome with the
 * promises. Resolves to all outcomes.
 */
export const judge = async (
  transfer: Transfer,
  ends: Ends,
  tally: Tally,
  liesAbout: (path: string) => number,
  isSaved: (path: string) => Promise<boolean>,
): Promise<readonly Outcome[]> => {
  const { listing, through, manner } = transfer;
  tally.add('transfers');
  tally.add(through);
  const url = ends[through] + listing.path;
  const come = (how: Manner = READING, part?: Transfer['part']) =>
    askUntilRight(
      transfer,
      part,
      (cuts) => liesAbout(listing.path) > cuts,
      tally,
      () => ask(url, how, part),
    );
  const others = Array.from({ length: transfer.clients - 1 }, () => come());
  const outcomes = await Promise.all([come(manner, transfer.part), ...others]);
  if (outcomes.some(({ kind }) => kind === 'left')) outcomes.push(await come());
  // The content in a cache and in a saved copy must be right too.
  const isClean = outcomes.some(({ kind }) => kind === 'clean');
  if (through === 'daemon' && transfer.again && isClean) await isSaved(listing.path);
  if (through === 'squid' || transfer.again) outcomes.push(await come());
  return outcomes;
};

/**
 * Wrong content may cost each client one response, but a repeated request must succeed in the end.
 */
const askUntilRight = async (
  transfer: Transfer,
  part: Transfer['part'],
  lied: (cuts: number) => boolean,
  tally: Tally,
  comes: () => Promise<Outcome>,
): Promise<Outcome> => {
  const { through, story } = transfer;
  const { path } = transfer.listing;
  if (part) tally.add('parts');
  for (let cuts = 0; ; cuts += 1) {
    const outcome = await comes();
    const verdict = judgeOne(transfer, part, outcome, lied(cuts));
    tally.add(verdict.counts);
    if (verdict.counts === 'clean' && outcome.kind === 'clean') {
      if (outcome.cached) tally.add('hits');
      if (outcome.shared) tally.add('shared');
    }
    if (verdict.broken)
      tally.broken.push({ path, what: verdict.broken, outcome: JSON.stringify({ ...outcome, part }), through, story });
    if (verdict.counts !== 'cut') return outcome;
  }
};

interface Verdict {
  readonly counts: string;
  /** The broken promise. */
  readonly broken?: string;
}

const judgeOne = ({ good, sha256 }: Transfer, part: Transfer['part'], outcome: Outcome, lied: boolean): Verdict => {
  if (outcome.kind === 'left') return { counts: 'left' };
  if (outcome.kind === 'hang') return { counts: 'hangs', broken: 'it came to no end' };
  if (outcome.kind === 'clean') {
    const right = part && outcome.status === 206 ? part.sha256 : sha256;
    return outcome.sha256 === right
      ? { counts: 'clean' }
      : { counts: 'wrong', broken: 'it ended cleanly and was wrong' };
  }
  if (cutTooLate(outcome)) return { counts: 'wrong', broken: 'all that was promised came before it was cut' };
  if (outcome.kind === 'refused' && !outcome.noStore && !outcome.bySquid)
    return { counts: 'dishonest', broken: 'a refusal that caches may keep' };
  if (!good) return { counts: outcome.kind === 'cut' ? 'cut, not good' : 'refused' };
  // Nothing could verify bytes that another source had added to a part.
  if (outcome.kind === 'cut' && part) return { counts: 'parts cut' };
  // Squid replaces a response that was cut before it sent any of it by an error page.
  const cut = outcome.kind === 'cut' || outcome.bySquid;
  return cut && lied
    ? { counts: 'cut' }
    : { counts: 'not completed', broken: 'it had a good source and did not complete' };
};
