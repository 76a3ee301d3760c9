import { BehaviorSubject, Observable, Subject } from 'rxjs';
import type { Chunk, OpenSpill } from '../../pipelines/index.ts';
import type { Valve } from '../../pipelines/operators/valve.ts';

/** Memory as spills of at most `room` bytes each, read by the piece. `made` has the first byte of each. */
export const memorySpills = (
  room: number,
  piece = Number.POSITIVE_INFINITY,
): { readonly spill: OpenSpill; readonly made: number[] } => {
  const made: number[] = [];
  const spill: OpenSpill = (from) => {
    made.push(from);
    const kept: number[] = [];
    const changed = new Subject<void>();
    let taking = true;
    const end = () => {
      taking = false;
      changed.next();
    };
    const read = (at: number) => (valve: Valve) =>
      new Observable<Chunk>((out) => {
        let [next, open] = [at - from, true];
        const emit = () => {
          while (open && !out.closed && next < kept.length) {
            const bytes = Uint8Array.from(kept.slice(next, next + piece));
            next += bytes.length;
            out.next({ type: 'chunk', bytes });
          }
          if (next === kept.length && !taking) out.complete();
        };
        out.add(changed.subscribe(emit));
        out.add(
          valve.subscribe((state) => {
            open = state;
            emit();
          }),
        );
      });
    return {
      from,
      get to() {
        return from + kept.length;
      },
      get taking() {
        return taking;
      },
      ready: new BehaviorSubject(true),
      write: ({ bytes }) => {
        if (kept.length + bytes.length > room) end();
        else kept.push(...bytes);
        changed.next();
        return taking;
      },
      end,
      read,
      retain: () => {},
      release: () => {},
    };
  };
  return { spill, made };
};
