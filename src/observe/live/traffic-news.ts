import type { Noted, Running, SeenEvent } from './tap.ts';
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

export interface RunningNews extends Pick<Running, 'sent' | 'paused' | 'end'> {
  readonly key: number;
  readonly pausedFor: number;
  /** Further ones. */
  readonly notes: readonly Noted[];
}

interface Told {
  readonly key: number;
  readonly late: boolean;
  isNew: boolean;
  notes: number;
  sent: number;
  paused: boolean;
}

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
  const known = new Map<Running, Told>();
  let last = 0;
  const add = (running: Running, late: boolean) => {
    last += 1;
    known.set(running, { key: last, late, isNew: true, notes: 0, sent: -1, paused: false });
  };
  for (const running of traffic.running) add(running, true);
  const close = traffic.watch({ began: (running, late = false) => add(running, late), ended: () => {} });

  return {
    take: (now) => {
      const began: TrafficNews['began'][number][] = [];
      const changed: RunningNews[] = [];
      for (const [running, told] of known) {
        const { id, path, client, began: at, notes, sent, paused, end } = running;
        const { key, late } = told;
        if (told.isNew) began.push({ id, path, client, began: at, key, late });
        told.isNew = false;
        if (told.sent === sent && told.notes === notes.length && told.paused === paused && !paused && !end) continue;
        const fresh = notes.slice(told.notes).map((one) => ({ ...one, event: seenOf(one.event) }));
        changed.push({ key, sent, paused, pausedFor: running.pausedFor(now), notes: fresh, end });
        Object.assign(told, { notes: notes.length, sent, paused });
        if (end) known.delete(running);
      }
      return { began, changed, beyond: traffic.beyond };
    },
    close,
  };
};
