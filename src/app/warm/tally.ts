import type { WarmEvent } from '../../../pipelines/index.ts';
import type { WantedPackage } from './plan.ts';

/** What was fetched ahead since the start, and what is still to be. */
export interface WarmFigures {
  readonly files: number;
  readonly bytes: number;
  readonly failed: number;
  /** Files that were not fetched, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Files that wait, and their bytes. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

export interface WarmTally {
  count(event: WarmEvent<WantedPackage>): void;
  /** Nothing of a round waits any longer; without an id, of none. */
  forget(id?: string): void;
  figures(): WarmFigures;
}

export const createWarmTally = (): WarmTally => {
  const waiting = new Map<string, { files: number; bytes: number }>();
  const skipped: Record<string, number> = {};
  let [files, bytes, failed] = [0, 0, 0];

  const settle = (id: string, size = 0) => {
    const left = waiting.get(id);
    if (!left) return;
    left.files -= 1;
    left.bytes -= size;
  };
  const sum = (of: 'files' | 'bytes') => [...waiting.values()].reduce((all, one) => all + one[of], 0);

  return {
    count: (event) => {
      const { id } = event;
      if (event.type === 'planned') waiting.set(id, { files: event.files, bytes: event.bytes });
      if (event.type === 'done') waiting.delete(id);
      if (event.type === 'warmed') {
        files += 1;
        bytes += event.bytes;
        settle(id, event.wanted.size);
      }
      if (event.type === 'failed') {
        failed += 1;
        settle(id, event.wanted?.size);
        if (!event.wanted) waiting.delete(id);
      }
      if (event.type === 'skipped') {
        skipped[event.reason] = (skipped[event.reason] ?? 0) + 1;
        // Those that were left out of the plan never waited.
        if (event.reason === 'kept' || event.reason === 'gave-way') settle(id, event.wanted.size);
      }
    },
    forget: (id) => {
      if (id === undefined) waiting.clear();
      else waiting.delete(id);
    },
    figures: () => ({
      ...{ files, bytes, failed, skipped: { ...skipped } },
      ...{ waiting: sum('files'), waitingBytes: sum('bytes') },
    }),
  };
};
