import { sourceName } from '../../../pipelines/model/index.ts';
import { type Group, type GroupPatch, LOOK_BACK, TICK } from './model/wire.ts';
import type { Running, SeenNote } from './running.ts';
import type { SeenTraffic } from './traffic.ts';

/** Groups that are told apart; all others are one. */
const GROUPS = 24;
const OTHERS: Group = { prefix: '', source: 'others' };
/** Requests without a byte so far, of whatever prefix: anybody can ask for any path. */
const WAITING: Group = { prefix: '', source: '' };

interface Kept {
  readonly group: Group;
  running: number;
  /** Bytes of each quarter of a second that had some. */
  readonly cells: [at: number, bytes: number][];
  /** Since the last frame. */
  fresh: number;
  told: number;
}

/** All requests by prefix and source. */
export interface Groups {
  /** Counts an ended request, whose last bytes are not counted yet. */
  ended(running: Running): void;
  take(now: number): { readonly fresh: readonly Group[]; readonly patches: readonly GroupPatch[] };
  all(): readonly (Group & Pick<Kept, 'running' | 'cells'>)[];
}

/** The source of a request's bytes at a note, if that decides it. */
const sourceAt = ({ event }: SeenNote): string | undefined =>
  event.type === 'head' || event.type === 'resumed' ? sourceName(event.candidate.source) : undefined;

const keyOf = ({ prefix, source }: Group): string => `${source} ${prefix}`;

interface Counted {
  group: Group;
  sent: number;
  seen: number;
}

export const openGroups = (traffic: SeenTraffic, prefixOf: (path: string) => string): Groups => {
  const kept: Kept[] = [];
  const byKey = new Map<string, Kept>();
  const counted = new WeakMap<Running, Counted>();
  let told = 0;

  for (const running of traffic.running) counted.set(running, { group: WAITING, sent: running.sent, seen: 0 });

  const keptOf = (wanted: Group): Kept => {
    const known = byKey.get(keyOf(wanted));
    if (known) return known;
    if (kept.length === GROUPS) return keptOf(OTHERS);
    const group = kept.length === GROUPS - 1 ? OTHERS : wanted;
    const one = { group, running: 0, cells: [], fresh: 0, told: 0 };
    kept.push(one);
    byKey.set(keyOf(group), one);
    return one;
  };

  /** Counts the new bytes of a request, each for its source. Returns its present group. */
  const count = (running: Running): Kept => {
    let own = counted.get(running);
    if (!own) {
      own = { group: WAITING, sent: 0, seen: 0 };
      counted.set(running, own);
    }
    for (; own.seen < running.notes.length; own.seen += 1) {
      const noted = running.notes[own.seen];
      const source = noted && sourceAt(noted);
      if (!noted || source === undefined) continue;
      if (noted.sent > own.sent) keptOf(own.group).fresh += noted.sent - own.sent;
      own.sent = Math.max(own.sent, noted.sent);
      own.group = { prefix: prefixOf(running.path), source };
    }
    const group = keptOf(own.group);
    group.fresh += running.sent - own.sent;
    own.sent = running.sent;
    return group;
  };

  return {
    ended: (running) => {
      count(running);
      counted.delete(running);
    },
    take: (now) => {
      for (const one of kept) one.running = 0;
      for (const running of traffic.running) count(running).running += 1;
      const at = Math.floor(now / TICK) * TICK;
      const patches: GroupPatch[] = [];
      for (const [index, one] of kept.entries()) {
        if (one.fresh > 0 || one.running !== one.told || one.running > 0) patches.push([index, one.fresh, one.running]);
        if (one.fresh > 0) one.cells.push([at, one.fresh]);
        const first = one.cells.findIndex(([then]) => then >= now - LOOK_BACK);
        if (first > 0) one.cells.splice(0, first);
        one.fresh = 0;
        one.told = one.running;
      }
      const fresh = kept.slice(told).map(({ group }) => group);
      told = kept.length;
      return { fresh, patches };
    },
    all: () => kept.map(({ group, running, cells }) => ({ ...group, running, cells })),
  };
};
