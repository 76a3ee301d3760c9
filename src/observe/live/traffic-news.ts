import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { isOver, type Running, type SeenEvent, type SeenNote } from './running.ts';
import type { SeenTraffic } from './traffic.ts';

/** What is new of running requests since the last news, for viewers in another process. */
export interface TrafficNews {
  readonly began: readonly (Pick<Running, 'id' | 'path' | 'client' | 'began'> & {
    readonly key: number;
    readonly late: boolean;
  })[];
  readonly changed: readonly RunningNews[];
  readonly beyond: number;
}

export interface RunningNews extends Pick<Running, 'sent' | 'paused' | 'copy' | 'spill' | 'end'> {
  readonly key: number;
  /** No more news of it will come. */
  readonly over: boolean;
  readonly pausedFor: number;
  /** Further ones. */
  readonly notes: readonly SeenNote[];
}

interface Told {
  readonly key: number;
  readonly late: boolean;
  isNew: boolean;
  notes: number;
  sent: number;
  paused: boolean;
  /** See `storedOf`. */
  stored: number;
  ended: boolean;
}

/** A number that grows with what the disk was given of a request, what it has, and with the end of that. */
const storedOf = ({ copy, spill }: Running): number =>
  (copy ? copy.taken + copy.written + (copy.end ? 1 : 0) : 0) + (spill?.to ?? 0);

/** Only what viewers see: locations have passwords, and copies in the making cannot be sent. */
const seenOf = (event: SeenEvent): SeenEvent => {
  const of = ({ source }: { readonly source: { readonly kind: string; readonly id: string } }) => ({ source });
  switch (event.type) {
    case 'found':
      return { type: event.type, candidates: event.candidates.map(of) };
    case 'attempt':
    case 'resumed':
      return { type: event.type, candidate: of(event.candidate), from: event.from };
    case 'asked':
      return { type: event.type, candidate: of(event.candidate) };
    case 'failed':
      return { type: event.type, candidate: of(event.candidate), error: { code: event.error.code } };
    case 'head': {
      const { type, candidate, first, length, whole, verified } = event;
      const { unproven, entry } = candidate;
      return {
        ...{ type, first, length, whole, verified },
        candidate: { ...of(candidate), unproven, entry: { checksum: entry.checksum } },
      };
    }
    case 'behind':
      return { type: event.type, from: event.from };
    default:
      return { type: event.type };
  }
};

/** Watches running requests, and tells what is new of them. */
export const reportTraffic = (traffic: SeenTraffic): { take(now: number): TrafficNews; close(): void } => {
  const known = new ShortLivedMap<Running, Told>();
  let last = 0;
  const add = (running: Running, late: boolean) => {
    last += 1;
    known.set(running, { key: last, late, isNew: true, notes: 0, sent: -1, paused: false, stored: 0, ended: false });
  };
  for (const running of traffic.running) add(running, true);
  const close = traffic.watch({ began: (running, late = false) => add(running, late), ended: () => {} });

  return {
    take: (now) => {
      const began: TrafficNews['began'][number][] = [];
      const changed: RunningNews[] = [];
      for (const [running, told] of known) {
        const { id, path, client, began: at, notes, sent, paused, copy, spill, end } = running;
        const { key, late } = told;
        if (told.isNew) began.push({ id, path, client, began: at, key, late });
        told.isNew = false;
        const over = isOver(running, now);
        const stored = storedOf(running);
        const moved = told.sent !== sent || told.notes !== notes.length || told.paused !== paused || paused;
        if (!moved && !over && told.stored === stored && told.ended === (end !== undefined)) continue;
        const fresh = notes.slice(told.notes).map((one) => ({ ...one, event: seenOf(one.event) }));
        const disk = { copy: copy && { ...copy }, spill: spill && { from: spill.from, to: spill.to } };
        changed.push({ key, over, sent, paused, pausedFor: running.pausedFor(), notes: fresh, ...disk, end });
        Object.assign(told, { notes: notes.length, sent, paused, stored, ended: end !== undefined });
        if (over) known.delete(running);
      }
      return { began, changed, beyond: traffic.beyond };
    },
    close,
  };
};
