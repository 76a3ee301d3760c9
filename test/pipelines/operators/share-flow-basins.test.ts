import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, concat, NEVER, Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { shareFlow } from '../../../pipelines/index.ts';
import type { Basin, Fillable } from '../../../pipelines/operators/basin.ts';
import type { Valve } from '../../../pipelines/operators/valve.ts';

/** Small letters have weight 1, capitals have weight 0. */
const size = (value: string) => (/[a-z]/.test(value) ? 1 : 0);

const LAG = 10;

/** Memory as a basin of at most `room` values. */
const memory = (room: number, from = 0) => {
  const values: string[] = [];
  const changed = new Subject<void>();
  const basin: Fillable<string> & {
    taking: boolean;
    ready: BehaviorSubject<boolean>;
    holders: number;
    broken: boolean;
  } = {
    from,
    get to() {
      return from + values.length;
    },
    taking: true,
    ready: new BehaviorSubject(true),
    holders: 0,
    broken: false,
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
        const emit = () => {
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

type Memory = ReturnType<typeof memory>;

interface Options {
  /** Values that fit into a basin. */
  readonly room?: number;
  readonly total?: number;
  readonly finishBelow?: number;
  /** A basin that the source itself fills. */
  readonly copy?: Memory;
  /** The source says that its values are to stay. */
  readonly staying?: boolean;
  /** The source occupies something scarce. Default: it does. */
  readonly scarce?: boolean;
}

/** One source that is pushed by hand; its first value is `H`. */
const scene = ({ room = 100, total, finishBelow = 0, copy, staying, scarce = true }: Options = {}) => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 0;
  const closing = new Subject<void>();
  const made: Memory[] = [];
  /** The first position and the weight for which a basin was wanted. */
  const asked: [from: number, rest: number | undefined][] = [];
  /** Values that the source emits as soon as its valve opens. */
  const onTheirWay: string[] = [];
  const sources: { readonly events: Subject<string>; readonly open: () => boolean }[] = [];
  const join = shareFlow<string>({
    size,
    lateJoinWindow: 2,
    window: 4,
    memory: 100,
    closing,
    scheduler,
    basins: {
      about: (value) => (value === 'H' ? { total, scarce, basin: copy, stays: staying } : undefined),
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
    keys: { readonly key: string; readonly orKey?: string } = { key: 'k' },
  ) => {
    const valve = new BehaviorSubject(open);
    const seen = { text: '', error: '' };
    const source = () => (shared: Valve) => {
      const events = new Subject<string>();
      let wanted = true;
      shared.subscribe((state) => {
        wanted = state;
        if (wanted) for (const value of onTheirWay.splice(0)) events.next(value);
      });
      sources.push({ events, open: () => wanted });
      return events;
    };
    const subscription = join({ ...keys, stays, source, fallback: () => fallback, onJoin: 'J' })(valve).subscribe({
      next: (value) => {
        seen.text += value;
      },
      error: (error: Error) => {
        seen.error = error.message;
      },
      complete: () => {
        seen.text += '|';
      },
    });
    return { valve, seen, leave: () => subscription.unsubscribe() };
  };
  return {
    consumer,
    close: () => closing.next(),
    /** What would keep a process alive. */
    scheduled: () => scheduler.actions.filter((action) => !action.closed).length,
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

describe('shareFlow with basins', () => {
  it('lets the source run on without a consumer that lags, and gives it everything later', () => {
    const { consumer, push, isOpen, wait, made } = scene();
    const slow = consumer();
    push('Hab');
    slow.valve.next(false);
    push('c');
    expect(isOpen()).toBe(false);
    wait();
    expect(isOpen()).toBe(true);
    push('deNf|');
    expect(slow.seen.text).toBe('HabD');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HabDcdeNf|');
    expect(made.map(({ from, holders }) => [from, holders])).toEqual([[0, 0]]);
  });

  it('does not touch the disk for a consumer that is slow for less than the lag', () => {
    const { consumer, push, wait, made } = scene();
    const slow = consumer();
    push('Hab');
    for (let round = 0; round < 5; round += 1) {
      slow.valve.next(false);
      wait(LAG - 1);
      slow.valve.next(true);
    }
    expect(made).toEqual([]);
  });

  it('opens a source that waits for its consumers to one that joins', () => {
    const { consumer, push, isOpen } = scene();
    consumer(false);
    push('Ha');
    expect(isOpen()).toBe(false);
    expect([consumer().seen.text, isOpen()]).toEqual(['JHa', true]);
  });

  it('does not slow down a consumer that is not slow', () => {
    const { consumer, push, wait } = scene();
    const quick = consumer();
    const slow = consumer(false);
    push('Hab');
    wait();
    push('cdefgh|');
    expect([quick.seen.text, slow.seen.text]).toEqual(['Habcdefgh|', 'JHD']);
    slow.valve.next(true);
    expect(slow.seen.text).toBe('JHDabcdefgh|');
  });

  it('admits late consumers while a basin has all values', () => {
    const { consumer, push, wait, sources } = scene();
    const slow = consumer(false);
    push('Ha');
    wait();
    push('bcdef');
    const late = consumer();
    expect(late.seen.text).toBe('JHabcdef');
    push('g|');
    slow.valve.next(true);
    expect([slow.seen.text, late.seen.text]).toEqual(['HDabcdefg|', 'JHabcdefg|']);
    expect(sources).toHaveLength(1);
  });

  it.each([
    ['no room', 0],
    ['room for two values', 2],
  ])('lets the source wait for its consumer if there is %s', (_, room) => {
    const { consumer, push, wait, isOpen } = scene({ room });
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    wait();
    push('bcde');
    expect(isOpen()).toBe(false);
    wait();
    expect(isOpen()).toBe(false);
    slow.valve.next(true);
    expect(isOpen()).toBe(true);
    push('f|');
    expect(slow.seen).toEqual({ text: room > 0 ? 'HaDbcdef|' : 'Habcdef|', error: '' });
  });

  it('takes from the basin that the source brings', () => {
    const copy = memory(100);
    const { consumer, push, wait, made, isOpen } = scene({ copy });
    const slow = consumer(false);
    push('Ha');
    wait();
    expect(isOpen()).toBe(true);
    push('bcdefgh|');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HDabcdefgh|');
    expect([made.length, copy.holders]).toEqual([0, 0]);
  });

  it('lets the source wait for a basin that is slower than it', () => {
    const copy = memory(100);
    const { consumer, push, isOpen } = scene({ copy });
    consumer();
    push('Habcdef');
    copy.ready.next(false);
    expect(isOpen()).toBe(false);
    copy.ready.next(true);
    expect(isOpen()).toBe(true);
  });

  it('moves a consumer whose basin fails to its fallback', () => {
    const { consumer, push, wait, made } = scene();
    const slow = consumer(true, concat(of('x'), NEVER));
    push('Ha');
    slow.valve.next(false);
    wait();
    push('bcdef');
    Object.assign(made[0] as Basin<string>, { broken: true });
    slow.valve.next(true);
    expect(slow.seen).toEqual({ text: 'HaDx', error: '' });
  });

  it('passes an error on after the values before it', () => {
    const { consumer, push, wait, sources } = scene();
    const slow = consumer(false);
    push('Ha');
    wait();
    push('bc');
    sources[0]?.events.error(new Error('lost'));
    slow.valve.next(true);
    expect(slow.seen).toEqual({ text: 'HDabc', error: 'lost' });
  });

  it('reads a small rest to its end without a consumer, for those that come back', () => {
    const { consumer, push, sources } = scene({ total: 5, finishBelow: 3 });
    const first = consumer();
    push('Hab');
    first.leave();
    push('cde|');
    const back = consumer();
    expect(back.seen.text).toBe('JHabcde|');
    expect(consumer().seen.text).toBe('JHabcde|');
    expect(sources).toHaveLength(1);
  });

  it('keeps the order of a source that goes on at once when its last consumer leaves', () => {
    const { consumer, push, hold } = scene({ total: 4, finishBelow: 4 });
    const first = consumer(false);
    push('Ha');
    hold('bc');
    first.leave();
    push('d|');
    expect(consumer().seen.text).toBe('JHabcd|');
  });

  it('leaves the source with the last consumer if more is missing, or if it forgets the first values', () => {
    for (const [text, total] of [['Hab', 6] as const, ['Habcd', 5] as const]) {
      const { consumer, push, sources } = scene({ total, finishBelow: 3 });
      const first = consumer();
      push(text);
      first.leave();
      expect(sources[0]?.events.observed).toBe(false);
    }
  });

  it('lets the values of a source without a consumer go after a minute', () => {
    const { consumer, push, sources, wait, made } = scene({ total: 3, finishBelow: 3 });
    const first = consumer();
    push('Ha');
    first.leave();
    push('bc|');
    wait(60_000);
    consumer();
    expect(sources).toHaveLength(2);
    expect(made[0]?.holders).toBe(0);
  });

  it('keeps all values for those that come later, from the first one on, if a consumer asks for that', () => {
    const { consumer, push, sources, made, wait } = scene();
    const first = consumer(true, NEVER, true);
    push('Habcdefg');
    const second = consumer();
    push('h|');
    const third = consumer();
    expect([first, second, third].map(({ seen }) => seen.text)).toEqual(['Habcdefgh|', 'JHabcdefgh|', 'JHabcdefgh|']);
    expect(sources).toHaveLength(1);
    wait(60_000);
    expect(made.map(({ holders }) => holders)).toEqual([0]);
  });

  describe('between two consumers that ask for values to stay', () => {
    const between = (text = 'Habcd') => {
      const all = scene();
      const ask = () => all.consumer(true, NEVER, true);
      const first = ask();
      all.push(text);
      first.leave();
      const isWanted = () => all.sources[0]?.events.observed;
      return { ...all, ask, isWanted };
    };

    it('waits, paused, for the next one, which has everything', () => {
      const { ask, isOpen, isWanted, push, scheduled, sources, wait } = between();
      expect([isOpen(), isWanted()]).toEqual([false, true]);
      wait(LAG - 1);
      const next = ask();
      expect(isOpen()).toBe(true);
      wait(2 * LAG);
      push('efg|');
      expect(next.seen.text).toBe('JHabcdefg|');
      expect(sources).toHaveLength(1);
      wait(60_000);
      expect(scheduled()).toBe(0);
    });

    it('opens the source again also if memory has everything', () => {
      const { ask, isOpen } = between('Ha');
      expect(isOpen()).toBe(false);
      expect([ask().seen.text, isOpen()]).toEqual(['JHa', true]);
    });

    it('keeps what is still on its way', () => {
      const { ask, push } = between();
      push('e');
      expect(ask().seen.text).toBe('JHabcde');
    });

    it('leaves the source if none comes', () => {
      const { ask, isWanted, made, scheduled, sources, wait } = between();
      wait();
      expect([isWanted(), made[0]?.holders, scheduled()]).toEqual([false, 0, 0]);
      ask();
      expect(sources).toHaveLength(2);
    });

    it('lets go of a source that errors', () => {
      const { ask, made, sources } = between();
      sources[0]?.events.error(new Error('lost'));
      expect(made[0]?.holders).toBe(0);
      expect(ask().seen).toEqual({ text: '', error: '' });
    });

    it('ends when it closes, and waits no more', () => {
      const { close, isWanted, made, scheduled } = between();
      close();
      expect([isWanted(), made[0]?.holders, scheduled()]).toEqual([false, 0, 0]);
    });

    it('leaves a source that has forgotten the first values at once', () => {
      const { consumer, push, sources } = scene({ room: 0 });
      const first = consumer(true, NEVER, true);
      push('Habcd');
      first.leave();
      expect(sources[0]?.events.observed).toBe(false);
    });
  });

  it('keeps all values if the source says that it should, unless nobody comes later', () => {
    const seen = [undefined, false].map((stays) => {
      const { consumer, push, sources } = scene({ staying: true });
      const first = consumer(true, NEVER, stays);
      push('Habcdefg');
      const second = consumer(true, NEVER, stays);
      first.leave();
      return [second.seen.text, sources.length, sources[0]?.events.observed];
    });
    expect(seen).toEqual([
      ['JHabcdefg', 1, true],
      ['', 2, false],
    ]);
  });

  it('gives the source of another key that will do, if one runs and has the first values', () => {
    const { consumer, push, sources } = scene({ staying: true });
    const ask = (key: string, orKey?: string) => consumer(true, NEVER, undefined, { key, orKey });
    ask('part', 'whole');
    const whole = ask('whole');
    push('Habcd');
    expect(ask('part', 'whole').seen.text).toBe('JHabcd');
    expect(ask('whole', 'part').seen.text).toBe('J');
    expect(whole.seen.text).toBe('Habcd');
    expect(sources).toHaveLength(2);
  });

  it('lets go of a copy in the making when the source errors, which aborts the copy later', () => {
    const copy = Object.assign(memory(100), { moved: NEVER });
    const { consumer, push, sources } = scene({ copy });
    const only = consumer();
    push('Hab');
    sources[0]?.events.error(new Error('lost'));
    expect([only.seen.error, copy.holders]).toEqual(['lost', 0]);
  });

  it('ends what runs or waits without a consumer when it closes, and nothing else', () => {
    const options = { total: 3, finishBelow: 3 };
    const [running, waiting, served] = [scene(options), scene(options), scene(options)];
    for (const { consumer, push } of [running, waiting]) {
      const first = consumer();
      push('Ha');
      first.leave();
    }
    waiting.push('bc|');
    const last = served.consumer();
    served.push('Ha');
    for (const { close } of [running, waiting, served]) close();
    expect(running.sources[0]?.events.observed).toBe(false);
    for (const { made, scheduled } of [running, waiting]) expect([made[0]?.holders, scheduled()]).toEqual([0, 0]);
    served.push('b');
    last.leave();
    expect(last.seen.text).toBe('Hab');
    expect(served.sources[0]?.events.observed).toBe(false);
  });

  it('wants a basin for what is kept and what is still to come', () => {
    for (const [total, rest] of [
      [10, 8],
      [undefined, undefined],
    ] as const) {
      const { consumer, push, wait, asked } = scene({ total });
      const slow = consumer();
      push('Habcde');
      slow.valve.next(false);
      push('f');
      wait();
      const [[from, wanted] = []] = asked;
      expect([asked.length, wanted]).toEqual([1, rest === undefined ? undefined : 10 - (from ?? 0)]);
    }
  });

  it('lets a source wait that occupies nothing scarce', () => {
    const { consumer, push, wait, made, isOpen } = scene({ scarce: false });
    const slow = consumer();
    push('Hab');
    slow.valve.next(false);
    wait();
    expect([isOpen(), made]).toEqual([false, []]);
  });

  it('replaces a full basin once its consumers have read it', () => {
    const { consumer, push, wait, made, isOpen } = scene({ room: 2 });
    const slow = consumer();
    push('H');
    slow.valve.next(false);
    push('a');
    wait();
    push('bc');
    // There is no room for the third one, and the first two are still to be read.
    wait();
    expect([isOpen(), made.length]).toEqual([false, 1]);
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HDabc');
    slow.valve.next(false);
    push('d');
    wait();
    expect([isOpen(), made.map(({ from, holders }) => [from, holders])]).toEqual([
      true,
      [
        [0, 0],
        [3, 1],
      ],
    ]);
    push('e|');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HDabcDde|');
    expect(made.map(({ holders }) => holders)).toEqual([0, 0]);
  });

  it('keeps a copy for those that come later, until they find it elsewhere', () => {
    const moved = new Subject<never>();
    const copy = Object.assign(memory(100), { moved });
    const { consumer, push, sources } = scene({ copy });
    const first = consumer();
    push('Habc|');
    expect([first.seen.text, copy.holders]).toEqual(['Habc|', 1]);
    expect(consumer().seen.text).toBe('JHabc|');
    expect([sources.length, copy.holders]).toEqual([1, 1]);
    moved.complete();
    expect(copy.holders).toBe(0);
    consumer();
    expect(sources).toHaveLength(2);
  });

  it('reads at most 64 sources to their ends without a consumer', () => {
    const { consumer, push, sources } = scene({ total: 3, finishBelow: 3 });
    for (let source = 0; source < 65; source += 1) {
      const one = consumer(true, NEVER, undefined, { key: `${source}` });
      push('Ha');
      one.leave();
    }
    const running = () => sources.filter(({ events }) => events.observed).length;
    expect(running()).toBe(64);
    // One that has ended makes room.
    push('bc|', 0);
    const another = consumer(true, NEVER, undefined, { key: 'another' });
    push('Ha');
    another.leave();
    expect([running(), sources[64]?.events.observed, sources[65]?.events.observed]).toEqual([64, false, true]);
  });
});
