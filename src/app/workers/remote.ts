import { Observable } from 'rxjs';
import type { Outbox, SaveRequest } from '../../../pipelines/index.ts';
import type { Eviction } from '../../saves/copies/eviction.ts';
import type { Places } from '../../sources/source-limits.ts';
import type { MasterCalls } from './calls.ts';
import type { Peer } from './channel.ts';

type Master = Peer<MasterCalls>;

interface RemoteOutbox extends Pick<Outbox, 'append' | 'written'> {
  /** Resolves once the master has what was appended. */
  sent(): Promise<void>;
}

/** The outbox of the master. Save requests of one turn of the event loop are sent together. */
export const remoteOutbox = (master: Master, onError: (error: unknown) => void): RemoteOutbox => {
  let saves: SaveRequest[] = [];
  /** Of the last saves; those before them are written earlier. */
  let written: Promise<void> | undefined;

  const send = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const sent = saves;
    saves = [];
    await master.ask('append', sent).catch(onError);
  };
  return {
    append: (save) => {
      saves.push(save);
      if (saves.length > 1) return;
      const sending = send();
      written = sending;
      void sending.then(() => {
        if (written === sending) written = undefined;
      });
    },
    written: new Observable((subscriber) => {
      if (written) void written.then(() => subscriber.complete());
      else subscriber.complete();
    }),
    sent: async () => written,
  };
};

/** Uses of a copy within so many milliseconds count as one. */
const USED_AGAIN = 60_000;
/** Uses that are remembered for that. */
const REMEMBERED = 10_000;

/** The eviction of the master, which knows the size of all copies. */
export const remoteEviction = (master: Master, now: () => number): Eviction => {
  const used = new Map<string, number>();
  return {
    used: ({ key, path }) => {
      if (now() - (used.get(path) ?? Number.NEGATIVE_INFINITY) < USED_AGAIN) return;
      used.delete(path);
      used.set(path, now());
      const [oldest] = used.keys();
      if (used.size > REMEMBERED && oldest !== undefined) used.delete(oldest);
      master.tell('used', { key, path });
    },
    taken: (bytes) => master.tell('taken', bytes),
    // Only the master removes copies.
    drop: async () => undefined,
    figures: () => ({ evicted: 0, evictedBytes: 0 }),
    limited: () => {},
    over: async () => {},
  };
};

/** The places of the master, which all workers share. */
export const remotePlaces = (master: Master): Places => {
  let last = 0;
  return (holder, places) =>
    (source, _, owner = '') =>
      new Observable((subscriber) => {
        last += 1;
        const id = last;
        const leave = () => master.tell('leave', id);
        subscriber.add(leave);
        master.ask('enter', { id, holder, places, owner }).then(
          () => {
            if (subscriber.closed) return;
            subscriber.remove(leave);
            source.subscribe(subscriber);
            // After the source's teardown, so the source is closed before its place is free.
            subscriber.add(leave);
          },
          (error: unknown) => subscriber.error(error),
        );
      });
};
