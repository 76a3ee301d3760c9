import type { CopyProgress } from '../../../pipelines/model/index.ts';
import type { Extent } from '../../../pipelines/operators/basin.ts';
import { maskUrl } from '../../lib/mask.ts';
import { COPY, EARLY, type Facts, type Mark, type MarkKind, SPILL } from './model/wire.ts';
import { type Running, timeOf } from './running.ts';

/** What is told of the disk's part in a stream: of its copy, and of the bytes that wait for its client. */
export interface DiskLanes {
  /** The facts at this moment. */
  facts(): Pick<Facts, 'copy' | 'copied' | 'behind' | 'problem' | 'spilled'>;
  /** Tells what is new. */
  take(now: number, tell: Telling): void;
  /** Whether anything of it is on disk. */
  begun(): boolean;
  /** Bytes that its transfer has received, if the disk knows better than the client. */
  received(): number;
  /** When the last of them came, if there are no more. */
  whole(): number | undefined;
}

export interface Telling {
  /** Bytes may have come before anybody looked. */
  readonly late: boolean;
  /** The lane of this name, which is made when it is first needed. */
  laneOf(name: typeof COPY | typeof SPILL): number;
  mark(mark: Mark): void;
  /** Further bytes of a lane, which came at a time. */
  bytes(lane: number, count: number, at: number): void;
}

/** Milliseconds after which bytes that the disk or the store has not are late. */
const LATE = 2000;
/** Characters of a reason: stores may say much. */
const REASON = 200;

/** What became of a copy so far. */
export const stateOf = ({ whole, end }: CopyProgress): NonNullable<Facts['copy']> =>
  end?.how ?? (whole === undefined ? 'making' : 'whole');

/** Why it was given up, without secrets. */
export const problemOf = ({ end }: CopyProgress): string | undefined => {
  const reason = end?.reason && maskUrl(end.reason);
  return reason && reason.length > REASON ? `${reason.slice(0, REASON)}…` : reason;
};

/** Reads how far the copy of a stream is, and its spill. `source`: the lane of the source that sends at present. */
export const diskLanes = (running: Running, source: () => number): DiskLanes => {
  /** What was given to the disk or the store, by time. */
  const given: { readonly at: number; readonly bytes: number }[] = [];
  let behind = 0;
  let begun = false;
  let lagged = false;
  let early = false;
  let settled = false;
  /** Bytes that were told of both lanes. */
  let copied: number | undefined;
  let spilled: number | undefined;

  const lagOf = ({ taken, queued = taken, written, end }: CopyProgress, now: number): number => {
    given.push({ at: now, bytes: queued });
    while ((given[1]?.at ?? now) <= now - LATE) given.shift();
    const [due] = given;
    return due && due.at <= now - LATE && due.bytes > written && !end ? queued - written : 0;
  };

  const takeCopy = (copy: CopyProgress, now: number, tell: Telling): void => {
    const lane = tell.laneOf(COPY);
    const say = (kind: MarkKind, at = now, text?: string) => tell.mark({ at, lane, kind, ...(text && { text }) });
    const head = running.notes.findLast(({ event }) => event.type === 'head');
    if (!begun) say('begun', head && timeOf(running, head));
    begun = true;
    const { written, end } = copy;
    const before = copied ?? (tell.late ? written : 0);
    if (written > before) tell.bytes(lane, written - before, end?.at ?? now);
    copied = written;
    behind = lagOf(copy, now);
    if (behind > 0 !== lagged && !end) say(lagged ? 'caught-up' : 'lags');
    lagged = behind > 0;
    if (end && !settled) say(end.how, end.at, problemOf(copy));
    settled = end !== undefined;
  };

  const takeWhole = ({ whole, end }: CopyProgress, now: number, tell: Telling): void => {
    // Without the copy the client has its bytes from elsewhere.
    if (end && end.how !== 'kept' && end.how !== 'there') return;
    if (whole === undefined || (running.end?.at ?? now) < whole + EARLY) return;
    early = true;
    tell.mark({ at: whole, lane: source(), kind: 'whole' });
  };

  const takeSpill = ({ from, to }: Extent, now: number, tell: Telling): void => {
    const lane = tell.laneOf(SPILL);
    const began = running.notes.findLast(({ event }) => event.type === 'on-disk');
    if (spilled === undefined) tell.mark({ at: began ? timeOf(running, began) : now, lane, kind: 'begun' });
    const before = spilled ?? (tell.late ? to - from : 0);
    spilled = to - from;
    if (spilled > before) tell.bytes(lane, spilled - before, now);
  };

  return {
    facts: () => {
      const { copy, spill } = running;
      return {
        copy: copy && stateOf(copy),
        copied: copy?.written,
        behind: behind || undefined,
        problem: copy && problemOf(copy),
        spilled: spill && spill.to - spill.from,
      };
    },
    take: (now, tell) => {
      const { copy, spill } = running;
      if (copy && !settled) takeCopy(copy, now, tell);
      if (copy && !early) takeWhole(copy, now, tell);
      if (spill) takeSpill(spill, now, tell);
    },
    begun: () => running.copy !== undefined || running.spill !== undefined,
    whole: () => running.copy?.whole,
    received: () => Math.max(running.copy?.taken ?? 0, running.spill?.to ?? 0),
  };
};
