import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, NEVER, Observable, Subject, type Subscriber, VirtualTimeScheduler } from 'rxjs';
import { shareFlow } from '../../../pipelines/index.ts';
import type { Fillable } from '../../../pipelines/operators/basin.ts';
import { subscriberOf } from '../../../pipelines/operators/subscriber.ts';
import { followValve, Gate, type Valve } from '../../../pipelines/operators/valve.ts';

const LAG = 10;
const WINDOW = 4;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A text of small letters weighs its length. A capital weighs nothing. */
const size = (value: string) => (/[a-z]/.test(value) ? value.length : 0);
const lettersOf = (text: string) => text.replace(/[^a-z]/g, '');
const weightOf = (text: string) => lettersOf(text).length;
/** The values of weight 0, each with its position. */
const asidesOf = (text: string) =>
  [...text.matchAll(/[A-Z]/g)].map(({ 0: value, index }) => ({ value, position: weightOf(text.slice(0, index)) }));

type Act =
  | { readonly act: 'push'; readonly weight: number }
  | { readonly act: 'join'; readonly open: boolean; readonly stays?: boolean; readonly within?: Within }
  | { readonly act: 'open' | 'close' | 'leave'; readonly consumer: number }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'ready' | 'busy' | 'break' };

/** What a consumer does while it has its value of weight with this number. */
interface Within {
  readonly at: number;
  readonly act: 'push' | 'open' | 'close' | 'leave' | 'open another';
}

const within: fc.Arbitrary<Within | undefined> = fc.option(
  fc.record({
    at: fc.nat(5),
    act: fc.constantFrom('push' as const, 'open' as const, 'close' as const, 'leave' as const, 'open another' as const),
  }),
  { nil: undefined },
);

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ act: fc.constant('push' as const), weight: fc.constantFrom(0, 1, 2, 3) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant('join' as const),
        open: fc.boolean(),
        stays: fc.constantFrom(undefined, undefined, true, false),
        within,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        act: fc.constantFrom('open' as const, 'close' as const, 'close' as const, 'leave' as const),
        consumer: fc.nat(5),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2 * LAG }) }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('ready' as const, 'busy' as const, 'break' as const) }) },
  ),
  { minLength: 10, maxLength: 50, size: 'max' },
);

const sites = fc.record({
  basins: fc.constantFrom(true, true, true, false),
  /** The weight that fits into a basin. */
  room: fc.constantFrom(0, 3, 8, 1000),
  /** The source fills a basin itself. */
  copies: fc.constantFrom(false, false, true),
  scarce: fc.constantFrom(true, true, true, false),
  finishBelow: fc.constantFrom(0, 0, 1000),
  lateJoinWindow: fc.nat(3),
  memory: fc.constantFrom(1000, 1000, 3),
  /** The weight of the parts that a basin is read in. */
  part: fc.integer({ min: 1, max: 4 }),
  /** Values that the source emits as soon as it may, once for each. */
  eager: fc.nat(3),
  /** No source waits without a consumer at the end. */
  closes: fc.boolean(),
  /** Basins may fail. */
  breaks: fc.constantFrom(false, false, true),
});
type Site = typeof sites extends fc.Arbitrary<infer S> ? S : never;

/** Memory as a basin of text. */
const basinOf = (room: number, part: number, from: number, faults: string[]) => {
  let text = '';
  const changed = new Subject<void>();
  let isBroken = false;
  const basin: Fillable<string> & {
    taking: boolean;
    ready: BehaviorSubject<boolean>;
    holders: number;
    breaks(): void;
  } = {
    from,
    get to() {
      return from + text.length;
    },
    taking: true,
    ready: new BehaviorSubject(true),
    holders: 0,
    write: (value) => {
      if (!basin.taking) faults.push('written once full');
      if (text.length + value.length > room) basin.end();
      else text += value;
      changed.next();
      return basin.taking;
    },
    end: () => {
      basin.taking = false;
      changed.next();
    },
    breaks: () => {
      isBroken = true;
      basin.end();
    },
    read: (at: number) => (valve) =>
      new Observable<string>((out) => {
        if (basin.holders === 0 || at < from || at > basin.to) faults.push(`read at ${at}`);
        let [next, open, busy] = [at - from, true, false];
        const emit = () => {
          if (busy) return;
          if (isBroken) out.error(new Error('broken'));
          busy = true;
          while (open && next < text.length && !out.closed) {
            const value = text.slice(next, next + part);
            next += value.length;
            out.next(value);
          }
          busy = false;
          if (next === text.length && !basin.taking) out.complete();
        };
        out.add(changed.subscribe(emit));
        followValve(valve, out, (state) => {
          open = state;
          emit();
        });
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
type Memory = ReturnType<typeof basinOf>;

interface Source {
  out: Subscriber<string> | undefined;
  /** All that it has emitted. */
  text: string;
  /** The positions of its values. */
  readonly starts: number[];
  open: boolean;
  ended: boolean;
  copy: Memory | undefined;
}

interface Taking {
  readonly valve: Gate;
  leave: () => void;
  source: Source | undefined;
  text: string;
  left: boolean;
  fell: boolean;
  end: string;
}

const play = (site: Site, history: readonly Act[], end: 'complete' | 'error'): readonly string[] => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 0;
  const closing = new Subject<void>();
  const made: Memory[] = [];
  const sources: Source[] = [];
  const consumers: Taking[] = [];
  /** What was seen within a call, where nothing may be thrown. */
  const faults: string[] = [];
  /** The weight of what is kept, and the number of values. */
  let [retained, retainedValues, broken] = [0, 0, false];
  let eager = site.eager;

  const holds = (what: string, is: boolean) => {
    if (!is) faults.push(what);
  };

  const join = shareFlow<string>({
    size,
    lateJoinWindow: site.lateJoinWindow,
    window: WINDOW,
    memory: site.memory,
    closing,
    scheduler,
    lending: {
      retain: (value) => {
        retained += size(value);
        retainedValues += 1;
      },
      release: (value) => {
        retained -= size(value);
        retainedValues -= 1;
      },
    },
    basins: site.basins
      ? {
          about: (value) => (value === 'H' ? { scarce: site.scarce, basin: sources.at(-1)?.copy } : undefined),
          make: (from) => {
            if (site.room === 0) return undefined;
            const basin = basinOf(site.room, site.part, from, faults);
            made.push(basin);
            return basin;
          },
          rest: (value, taken) => {
            holds('a part is asked for', taken > 0 && taken < size(value));
            return value.slice(taken);
          },
          onDivert: () => 'D',
          lag: LAG,
          finishBelow: site.finishBelow,
        }
      : undefined,
  });

  const push = (source: Source | undefined, weight: number) => {
    if (!source || source.ended || !source.out || source.out.closed) return;
    const position = weightOf(source.text);
    const letters = Array.from({ length: weight }, (_, at) => LETTERS[(position + at) % 26]).join('');
    const value = source.text === '' ? 'H' : weight === 0 ? 'NOPQRS'[source.starts.length % 6]! : letters;
    source.text += value;
    source.starts.push(position);
    if (source.copy?.taking && size(value) > 0) source.copy.write(value);
    source.out.next(value);
  };

  const open = (): Source => {
    const copy = site.copies ? basinOf(site.room, site.part, 0, faults) : undefined;
    if (copy) made.push(copy);
    return { out: undefined, text: '', starts: [], open: true, ended: false, copy };
  };

  const enter = (one: Extract<Act, { act: 'join' }>) => {
    const consumer: Taking = {
      ...{ valve: new Gate(one.open), leave: () => {} },
      ...{ source: sources.at(-1), text: '', left: false, fell: false, end: '' },
    };
    consumers.push(consumer);
    let at = 0;
    const take = (value: string) => {
      if (consumer.left) faults.push(`${value} after it left`);
      if (size(value) > 0 && !consumer.valve.value) faults.push(`${value} with a closed valve`);
      if (value !== 'J' && value !== 'D') consumer.text += value;
      if (size(value) > 0 && one.within?.at === at++) inside(consumer, one.within.act);
    };
    const source = () => (shared: Valve) =>
      new Observable<string>((out) => {
        const source = open();
        source.out = out;
        sources.push(source);
        consumer.source = source;
        out.add(
          shared.subscribe((state) => {
            source.open = state;
            if (state && eager > 0) {
              eager -= 1;
              push(source, 1 + (eager % 3));
            }
          }),
        );
      });
    const fallback = () => {
      consumer.fell = true;
      return NEVER;
    };
    // Made before the source starts: it can be left within a value that comes at once.
    const out = subscriberOf<string>({
      next: take,
      error: () => {
        consumer.end = 'error';
      },
      complete: () => {
        consumer.end = 'complete';
      },
    });
    const before = sources.at(-1);
    const mayShare =
      before?.out?.closed === false &&
      made.length === 0 &&
      site.memory > WINDOW &&
      weightOf(before.text) <= Math.min(site.lateJoinWindow, WINDOW);
    consumer.leave = () => out.unsubscribe();
    join({ key: 'k', stays: one.stays, source, fallback, onJoin: 'J' })(consumer.valve).subscribe(out);
    if (mayShare) holds('shared', consumer.source === before);
  };

  const inside = (consumer: Taking, act: Within['act']) => {
    if (act === 'push') push(consumer.source, 2);
    else if (act === 'leave') leave(consumer);
    else if (act === 'open another') consumers.find((one) => one !== consumer && !one.valve.value)?.valve.next(true);
    else consumer.valve.next(act === 'open');
  };

  const leave = (consumer: Taking) => {
    consumer.left = true;
    consumer.leave();
  };

  const wait = (ms: number) => {
    scheduler.schedule(() => {}, ms);
    scheduler.maxFrames += ms;
    scheduler.flush();
  };

  const act = (one: Act) => {
    // A source pushes no more than what was on its way.
    if (one.act === 'push') push(sources.at(-1)?.open ? sources.at(-1) : undefined, one.weight);
    else if (one.act === 'join') enter(one);
    else if (one.act === 'wait') wait(one.ms);
    else if (one.act === 'break') {
      if (!site.breaks) return;
      broken = true;
      for (const basin of made) basin.breaks();
    } else if (one.act === 'ready' || one.act === 'busy') for (const { ready } of made) ready.next(one.act === 'ready');
    else if ('consumer' in one) {
      const consumer = consumers[one.consumer];
      if (one.act === 'leave') {
        if (consumer) leave(consumer);
      } else consumer?.valve.next(one.act === 'open');
    }
  };

  const judge = (pushed = false) => {
    const areReady = made.every(({ ready }) => ready.value);
    for (const { source, text, valve, left, fell, end } of consumers) {
      const all = source?.text ?? '';
      const [taken, came] = [asidesOf(text), asidesOf(all)];
      holds('in order', lettersOf(all).startsWith(lettersOf(text)));
      // A basin is read in parts, which are not divided for what weighs nothing.
      for (const [at, { value, position }] of taken.entries())
        holds('asides in order', value === came[at]?.value && position >= came[at].position);
      for (const [at, { position }] of taken.entries())
        holds('asides in time', position - (came[at]?.position ?? 0) < site.part);
      const start = Math.max(0, ...(source?.starts ?? []).filter((at) => at <= weightOf(text)));
      if (fell && site.memory > WINDOW && !broken) holds('fell behind', weightOf(all) - start > WINDOW);
      if (left || fell || end !== '' || !valve.value) continue;
      holds('up to date', weightOf(text) === weightOf(all) && taken.length === came.length);
      if (areReady) holds('source runs', source?.open === true);
    }
    const last = sources.at(-1);
    const own = consumers.filter(({ source, left, fell }) => source === last && !left && !fell);
    const isQuick = own.some(({ valve }) => valve.value);
    if (own.length > 0 && !isQuick && made.length === 0) holds('source waits', last?.open === false);
    if (pushed && sources.length === 1 && isQuick) holds('bounded', retained <= Math.min(WINDOW, site.memory));
  };

  for (const one of history) {
    const before = sources.at(-1)?.text;
    act(one);
    // What a consumer that left had taken for the others may be dropped only when the next value comes.
    judge(one.act === 'push' && one.weight > 0 && sources.at(-1)?.text !== before);
  }
  for (const { ready } of made) ready.next(true);
  const last = sources.at(-1);
  const wanted = consumers.filter((one) => one.source === last && !one.left && !one.fell);
  for (const source of sources) {
    if (source.out?.closed) continue;
    source.ended = true;
    source.copy?.end();
    if (end === 'complete') source.out?.complete();
    else source.out?.error(new Error('lost'));
  }
  // One may close its valve once more, within a value.
  for (const { valve } of [...consumers, ...consumers]) valve.next(true);
  judge();
  for (const one of wanted)
    holds('the end', one.left || one.fell || (one.text.length === last?.text.length && one.end === end));
  if (site.closes) closing.next();
  for (const one of consumers) leave(one);
  if (!site.closes) wait(60_000);
  holds('no holder', !made.some(({ holders }) => holders !== 0));
  holds('no valve', !consumers.some(({ valve }) => valve.observed));
  holds('nothing retained', retained === 0 && retainedValues === 0);
  // The timer of those that lag is not moved for each of them.
  wait(2 * LAG);
  holds(
    'nothing scheduled',
    scheduler.actions.every(({ closed }) => closed),
  );
  return faults;
};

describe('shareFlow with basins, in any history', () => {
  it('knows where it is after it took the rest of a value of which the basin gave a part', () => {
    const site: Site = {
      ...{ basins: true, room: 1000, copies: false, scarce: true, finishBelow: 0, lateJoinWindow: 0, memory: 1000 },
      ...{ part: 2, eager: 0, closes: false, breaks: false },
    };
    const history: readonly Act[] = [
      { act: 'join', open: false },
      { act: 'join', open: true },
      ...[0, 1, 2].map((weight) => ({ act: 'push', weight }) as const),
      { act: 'join', open: false, stays: true },
      { act: 'push', weight: 2 },
      { act: 'join', open: true, within: { at: 1, act: 'close' } },
      { act: 'open', consumer: 0 },
      { act: 'push', weight: 3 },
      { act: 'push', weight: 0 },
    ];
    expect(play(site, history, 'complete')).toEqual([]);
  });

  it('gives each consumer all values in order, at its own speed, and cleans up', () =>
    fc.assert(
      fc.property(sites, acts, fc.constantFrom('complete' as const, 'error' as const), (site, history, end) =>
        expect(play(site, history, end)).toEqual([]),
      ),
      { numRuns: 2000 },
    ));
});
