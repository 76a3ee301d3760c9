import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { applyPatch, asPatch, emptyStream, type Stream } from './model/stream.ts';
import { LOOK_BACK, type Patch } from './model/wire.ts';
import type { Running } from './running.ts';
import type { SeenTraffic } from './traffic.ts';
import { createView, type ShowClient, type View } from './view.ts';

/** Streams that viewers see one by one, and those of them that may be new in one frame. */
const SHOWN = 1000;
const NEW = 200;

/** The streams that viewers see one by one, while somebody looks. */
export interface Details {
  readonly began: (running: Running, late?: boolean) => void;
  readonly ended: (running: Running) => void;
  /** What is new of them, and the ids of those that are no longer shown. */
  take(now: number): { readonly patches: readonly Patch[]; readonly gone: readonly string[] };
  /** All of them as they are. */
  all(): readonly Patch[];
}

interface Shown {
  readonly view: View;
  readonly stream: Stream;
}

/**
 * At most 1,000 streams: eventful ones before others, running ones before those that have ended.
 * The others are only counted.
 */
export const openDetails = (traffic: SeenTraffic, showClient: ShowClient, shownLimit = SHOWN): Details => {
  const shown = new ShortLivedMap<Running, Shown>();
  /** In the order of their ends. */
  const over = new ShortLivedMap<Running, Shown>();
  let arrived: { readonly running: Running; readonly late: boolean }[] = [];
  let overdue: Running[] = [];
  /** Running requests that found no room: they are looked at again, since something may happen to them. */
  const waiting = new Set<Running>();

  for (const running of traffic.running) arrived.push({ running, late: true });
  /** The oldest quiet one. */
  const quietIn = (some: Iterable<readonly [Running, Shown]>): Running | undefined => {
    for (const [running, { view }] of some) if (!view.eventful()) return running;
    return undefined;
  };

  /**
   * Makes room for one more. Quiet streams that have ended go first; for an eventful one also quiet ones
   * that run, and then the oldest of its like.
   */
  const makeRoom = (eventful: boolean, gone: string[]): boolean => {
    if (shown.size < shownLimit) return true;
    const oldest = quietIn(over) ?? (eventful ? (quietIn(shown) ?? over.keys().next().value) : undefined);
    if (!oldest) return false;
    drop(oldest, gone);
    if (!oldest.end && waiting.size < shownLimit) waiting.add(oldest);
    return true;
  };

  const drop = (running: Running, gone: string[]) => {
    shown.delete(running);
    over.delete(running);
    gone.push(running.id);
  };

  const isEventful = ({ notes, end }: Running) =>
    end?.outcome === 'failed' || notes.some(({ event }) => event.type === 'failed' || event.type === 'resumed');

  const admit = (running: Running, late: boolean, gone: string[]): void => {
    if (!makeRoom(isEventful(running), gone)) {
      if (!running.end && waiting.size < shownLimit) waiting.add(running);
      return;
    }
    waiting.delete(running);
    const one = { view: createView(running, late, showClient), stream: emptyStream(running.id) };
    shown.set(running, one);
    if (running.end) over.set(running, one);
  };

  return {
    began: (running, late = false) => {
      if (arrived.length < 4 * NEW) arrived.push({ running, late });
    },
    ended: (running) => {
      if (shown.has(running)) overdue.push(running);
      waiting.delete(running);
    },
    take: (now) => {
      const gone: string[] = [];
      const coming = arrived;
      arrived = [];
      for (const { running, late } of coming.slice(-NEW * (shown.size === 0 ? 5 : 1))) admit(running, late, gone);
      for (const running of waiting) if (isEventful(running)) admit(running, true, gone);
      for (const running of overdue) {
        const one = shown.get(running);
        if (one) over.set(running, one);
      }
      overdue = [];
      for (const [running] of over) {
        if ((running.end?.at ?? now) >= now - LOOK_BACK) break;
        drop(running, gone);
      }
      const patches: Patch[] = [];
      for (const { view, stream } of shown.values()) {
        if (view.over(now)) continue;
        const patch = view.take(now);
        if (!patch) continue;
        applyPatch(stream, patch, now);
        patches.push(patch);
      }
      return { patches, gone };
    },
    all: () => [...shown.values()].map(({ stream }) => asPatch(stream)),
  };
};
