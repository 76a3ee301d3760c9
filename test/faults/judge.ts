import { ask, type Manner, type Outcome } from './client.ts';
import type { Transfer } from './plan.ts';
import type { Tally } from './tally.ts';

/** Where clients ask. */
export interface Ends {
  readonly daemon: string;
  readonly squid: string;
}

const READING: Manner = { kind: 'reads' };

/** Asks for a transfer as planned, and again where that is due, and holds every outcome against what was promised. Resolves to all of them. */
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
  const come = (how: Manner) => askUntilRight(transfer, url, how, tally, liesAbout);
  const first = await come(manner);
  const outcomes = [first];
  if (first.kind === 'left') outcomes.push(await come(READING));
  // What a cache now has, and what was saved, must be right as well.
  if (through === 'daemon' && transfer.again && first.kind === 'clean') await isSaved(listing.path);
  if (through === 'squid' || transfer.again) outcomes.push(await come(READING));
  return outcomes;
};

/** A lie may cost one response, never the truth of any: whoever asks again gets it in the end. */
const askUntilRight = async (
  transfer: Transfer,
  url: string,
  manner: Manner,
  tally: Tally,
  liesAbout: (path: string) => number,
): Promise<Outcome> => {
  const { through, story } = transfer;
  const { path } = transfer.listing;
  for (let cuts = 0; ; cuts += 1) {
    const outcome = await ask(url, manner);
    const verdict = judgeOne(transfer, outcome, liesAbout(path) > cuts);
    tally.add(verdict.counts);
    if (verdict.counts === 'clean' && outcome.kind === 'clean' && outcome.cached) tally.add('hits');
    if (verdict.broken)
      tally.broken.push({ path, what: verdict.broken, outcome: JSON.stringify(outcome), through, story });
    if (verdict.counts !== 'cut') return outcome;
  }
};

interface Verdict {
  readonly counts: string;
  /** The promise that was not kept. */
  readonly broken?: string;
}

const judgeOne = ({ good, size, sha256 }: Transfer, outcome: Outcome, lied: boolean): Verdict => {
  if (outcome.kind === 'left') return { counts: 'left' };
  if (outcome.kind === 'hang') return { counts: 'hangs', broken: 'it came to no end' };
  if (outcome.kind === 'clean')
    return outcome.sha256 === sha256
      ? { counts: 'clean' }
      : { counts: 'wrong', broken: 'it ended cleanly and was wrong' };
  if (outcome.kind === 'cut' && outcome.bytes > 0 && outcome.bytes >= size)
    return { counts: 'wrong', broken: 'all bytes came, though they were to be cut' };
  if (outcome.kind === 'refused' && !outcome.noStore && !outcome.bySquid)
    return { counts: 'dishonest', broken: 'a refusal that caches may keep' };
  if (!good) return { counts: outcome.kind === 'cut' ? 'cut in vain' : 'refused' };
  // Squid makes an error of its own of a response that was cut before it passed any of it on.
  const cut = outcome.kind === 'cut' || outcome.bySquid;
  return cut && lied
    ? { counts: 'cut' }
    : { counts: 'not completed', broken: 'it had a good source and did not complete' };
};
