import { BehaviorSubject, Observable, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { shareFlow } from '../../pipelines/index.ts';
import type { Fillable } from '../../pipelines/operators/basin.ts';
import { subscriberOf } from '../../pipelines/operators/subscriber.ts';
import type { Valve } from '../../pipelines/operators/valve.ts';

/** Small letters have weight 1, capitals have weight 0. */
const size = (value: string) => (/[a-z]/.test(value) ? 1 : 0);

export const LAG = 10;

/** Memory as a basin of at most `room` values. */
export const memory = (room: number, from = 0) => {
  const values: string[] = [];
  const changed = new Subject<void>();
  const basin: Fillable<string> & {
    taking: boolean;
    ready: BehaviorSubject<boolean>;
    holders: number;
    broken: boolean;
    /** It gives nothing to those that read, until it no longer does. */
    stalled: boolean;
    /** How often it was read. */
    reads: number;
    go(): void;
  } = {
    from,
    get to() {
      return from + values.length;
    },
    taking: true,
    ready: new BehaviorSubject(true),
    holders: 0,
    broken: false,
    stalled: false,
    reads: 0,
    go: () => {
      basin.stalled = false;
      changed.next();
    },
    write: (value: string) => {
      if (values.length === room) basin.end();
      else values.push(value);
      changed.next();
      return basin.taking;
    },
    end: () => {
      basin.taking = false;
      changed.next();
    },
    read: (at: number) => (valve: Valve) =>
      new Observable<string>((out) => {
        let [next, open] = [at - from, true];
        basin.reads += 1;
        const emit = () => {
          if (basin.stalled) return;
          if (basin.broken) out.error(new Error('broken'));
          while (open && next < values.length && !out.closed) out.next(values[next++] as string);
          if (next === values.length && !basin.taking) out.complete();
        };
        out.add(changed.subscribe(emit));
        out.add(
          valve.subscribe((state) => {
            open = state;
            emit();
          }),
        );
      }),
    retain: () => {
      basin.holders += 1;
    },
    release: () => {
      basin.holders -= 1;
    },
  };
  return basin;
};

export type Memory = ReturnType<typeof memory>;

export interface Options {
  /** Values that fit into a basin. */
  readonly room?: number;
  readonly total?: number;
  readonly finishBelow?: number;
  /** A basin that the source itself fills. */
  readonly copy?: Memory;
  /** The source says that its values are to stay. */
  readonly staying?: boolean;
  /** The source says that a later consumer may find better values. */
  readonly fleeting?: boolean;
  /** The source occupies something scarce. Default: it does. */
  readonly scarce?: boolean;
}

export interface Way {
  readonly key?: string;
  readonly orKey?: string;
  readonly expected?: number;
  /** What the consumer does within a value. */
  readonly at?: Readonly<Record<string, (leave: () => void) => void>>;
  /** In place of a valve of its own. */
  readonly follow?: Valve;
}

/** One source that is pushed by hand; its first value is `H`. */
export const scene = ({ room = 100, total, finishBelow = 0, copy, staying, fleeting, scarce = true }: Options = {}) => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 0;
  const closing = new Subject<void>();
  const made: Memory[] = [];
  /** The first position and the weight for which a basin was wanted. */
  const asked: [from: number, rest: number | undefined][] = [];
  /** Values that the source emits as soon as its valve opens. */
  const onTheirWay: string[] = [];
  const sources: {
    readonly events: Subject<string>;
    readonly open: () => boolean;
    readonly mayFallBehind: () => boolean;
  }[] = [];
  /** Values that are retained. */
  const kept: string[] = [];
  const join = shareFlow<string>({
    size,
    lateJoinWindow: 2,
    window: 4,
    memory: 100,
    closing,
    scheduler,
    lending: { retain: (value) => kept.push(value), release: (value) => kept.splice(kept.indexOf(value), 1) },
    basins: {
      about: (value) => (value === 'H' ? { total, scarce, basin: copy, stays: staying, fleeting } : undefined),
      make: (from, rest) => {
        asked.push([from, rest]);
        if (room === 0) return undefined;
        const basin = memory(room, from);
        made.push(basin);
        return basin;
      },
      rest: (value) => value,
      onDivert: () => 'D',
      lag: LAG,
      finishBelow,
    },
  });
  const consumer = (
    open = true,
    fallback: Observable<string> = throwError(() => new Error('alone')),
    stays?: boolean,
    { at = {}, follow, ...keys }: Way = {},
  ) => {
    const valve = new BehaviorSubject(open);
    const seen = { text: '', error: '' };
    const source = (mayFallBehind: () => boolean) => (shared: Valve) => {
      const events = new Subject<string>();
      let wanted = true;
      shared.subscribe((state) => {
        wanted = state;
        if (wanted) for (const value of onTheirWay.splice(0)) events.next(value);
      });
      sources.push({ events, open: () => wanted, mayFallBehind });
      return events;
    };
    const out = subscriberOf<string>({
      next: (value) => {
        seen.text += value;
        at[value]?.(leave);
      },
      error: (error: unknown) => {
        seen.error = (error as Error).message;
      },
      complete: () => {
        seen.text += '|';
      },
    });
    const leave = () => out.unsubscribe();
    join({ key: 'k', ...keys, stays, source, fallback: () => fallback, onJoin: 'J' })(follow ?? valve).subscribe(out);
    return { valve, seen, leave };
  };
  return {
    consumer,
    close: () => closing.next(),
    /** What would keep a process alive. */
    scheduled: () => scheduler.actions.filter((action) => !action.closed).length,
    kept,
    made,
    asked,
    sources,
    push: (text: string, source = sources.length - 1) => {
      for (const value of text) {
        if (copy?.taking && size(value) > 0) copy.write(value);
        if (value === '|') {
          copy?.end();
          sources[source]?.events.complete();
        } else sources[source]?.events.next(value);
      }
    },
    hold: (text: string) => onTheirWay.push(...text),
    isOpen: (source = sources.length - 1) => sources[source]?.open(),
    wait: (ms = LAG) => {
      // The clock of the scheduler is that of its last action.
      scheduler.schedule(() => {}, ms);
      scheduler.maxFrames += ms;
      scheduler.flush();
    },
  };
};
