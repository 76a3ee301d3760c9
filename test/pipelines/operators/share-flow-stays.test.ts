import { describe, expect, it } from '@jest/globals';
import { NEVER, Subject } from 'rxjs';
import { LAG, memory, type Options, scene, type Way } from '../../support/shared-scene.ts';

describe('shareFlow with basins, once a consumer has left', () => {
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

  it('leaves the source with the last consumer if its values are fleeting, in any case', () => {
    for (const [options, stays] of [
      [{ total: 5, finishBelow: 3 }, undefined],
      [{ staying: true }, undefined],
      [{}, true],
    ] as const) {
      const { consumer, push, sources } = scene({ ...options, fleeting: true });
      const first = consumer(true, NEVER, stays);
      push('Hab');
      first.leave();
      expect(sources[0]?.events.observed).toBe(false);
      consumer();
      expect(sources).toHaveLength(2);
    }
  });

  it('leaves fleeting values to nobody after the end, although they were to stay', () => {
    for (const [fleeting, count] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const { consumer, push, sources } = scene({ fleeting });
      consumer(true, NEVER, true);
      push('Habcdefgh|');
      consumer();
      expect(sources).toHaveLength(count);
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
      expect(ask().seen.text).toBe('JHabcd');
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

  describe('without a consumer', () => {
    const left = (options: Options, text: string, way: Way = {}) => {
      const all = scene({ finishBelow: 3, ...options });
      const first = all.consumer(true, NEVER, undefined, way);
      all.push(text);
      first.leave();
      return { ...all, isWanted: () => all.sources[0]?.events.observed };
    };

    it('keeps in memory nothing of a rest that is read to its end', () => {
      expect(left({ total: 5 }, 'Hab').kept).toEqual([]);
    });

    it('waits for the next one again when it comes with a closed valve', () => {
      const { consumer, isOpen } = left({ total: 9 }, '');
      expect(isOpen()).toBe(true);
      consumer(false);
      expect(isOpen()).toBe(false);
    });

    it('runs on before the first value, until that says that too much is missing', () => {
      const { isWanted, push } = left({ total: 9 }, '');
      expect(isWanted()).toBe(true);
      push('H');
      expect(isWanted()).toBe(false);
    });

    it.each([
      ['runs on', 3, true],
      ['is left', 4, false],
    ])('%s before the first value if %i are expected', (_, expected, runsOn) =>
      expect(left({}, '', { expected }).isWanted()).toBe(runsOn),
    );

    it('is left if its size is unknown', () => expect(left({}, 'Hab').isWanted()).toBe(false));

    it('is left if it occupies nothing scarce', () =>
      expect(left({ total: 3, scarce: false }, 'Hab').isWanted()).toBe(false));

    it('still serves consumers that come later, if the first came back before the first value', () => {
      const { consumer, push, sources } = left({ total: 9 }, '');
      const back = consumer();
      push('Ha');
      expect([back.seen.text, consumer().seen.text, sources.length]).toEqual(['JHa', 'JHa', 1]);
    });

    it('waits, paused, for the next one if there is no room for the rest', () => {
      const { consumer, push, isOpen, sources } = scene({ room: 0, total: 4, finishBelow: 3 });
      const first = consumer(true, NEVER, true);
      push('Ha');
      first.leave();
      expect([isOpen(), sources[0]?.events.observed]).toEqual([false, true]);
      expect([consumer().seen.text, isOpen(), sources.length]).toEqual(['JHa', true, 1]);
    });

    it('has its place taken by another one when it fails', () => {
      const { consumer, push, sources } = scene({ total: 3, finishBelow: 3 });
      const leaves = (key: string) => {
        const one = consumer(true, NEVER, undefined, { key });
        push('Ha');
        one.leave();
        return sources.at(-1)?.events.observed;
      };
      expect(Array.from({ length: 65 }, (_, at) => leaves(`${at}`)).indexOf(false)).toBe(64);
      sources[0]?.events.error(new Error('lost'));
      expect(leaves('another')).toBe(true);
    });

    it('schedules nothing for a source that is left', () => {
      const { scheduled, isWanted } = left({ total: 9 }, 'Hab');
      expect([isWanted(), scheduled()]).toEqual([false, 0]);
    });
  });

  describe('after the end, while the values wait for a consumer', () => {
    const lingering = () => {
      const all = scene({ total: 3, finishBelow: 3 });
      const first = all.consumer();
      all.push('Ha');
      first.leave();
      all.push('bc|');
      return all;
    };

    it('does not wait longer since a consumer came', () => {
      const { consumer, wait, sources, made } = lingering();
      wait(30_000);
      const second = consumer();
      expect(second.seen.text).toBe('JHabc|');
      wait(30_000);
      expect(made[0]?.holders).toBe(0);
      consumer();
      expect(sources).toHaveLength(2);
    });

    it('gives a consumer that came in time everything, but admits no further one', () => {
      const { consumer, wait, sources, made } = lingering();
      const slow = consumer(false);
      wait(60_000);
      const next = consumer();
      expect([next.seen.text, sources.length, made[0]?.holders]).toEqual(['', 2, 1]);
      slow.valve.next(true);
      expect([slow.seen.text, made[0]?.holders]).toEqual(['JHabc|', 0]);
    });

    it('keeps nothing in memory if a copy has everything', () => {
      const copy = Object.assign(memory(100), { moved: NEVER });
      const { consumer, push, kept } = scene({ copy });
      const first = consumer();
      push('Ha|');
      expect([first.seen.text, kept, copy.holders]).toEqual(['Ha|', [], 1]);
    });

    it('is left with its last consumer once no source may wait any longer', () => {
      const moved = new Subject<never>();
      const copy = Object.assign(memory(100), { moved });
      const { close, consumer, push } = scene({ copy });
      consumer();
      push('Ha|');
      const slow = consumer(false);
      close();
      slow.leave();
      expect([copy.holders, moved.observed]).toEqual([0, false]);
    });

    it('keeps them for a minute also if the source ended while it waited for the next consumer', () => {
      const { consumer, push, sources, wait } = scene();
      const first = consumer(true, NEVER, true);
      push('Habcd');
      first.leave();
      push('e|');
      wait(2 * LAG);
      expect([consumer().seen.text, sources.length]).toEqual(['JHabcde|', 1]);
    });
  });

  it('opens a basin for values that stay only before the first one is dropped', () => {
    const { consumer, push, made } = scene({ staying: true });
    consumer();
    push('Hab');
    expect(made).toEqual([]);
    push('c');
    expect(made.map(({ from, to }) => [from, to])).toEqual([[0, 3]]);
  });

  it('asks once whether there is room for values that stay', () => {
    const { consumer, push, asked } = scene({ room: 0, staying: true });
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    push('bcdef');
    expect(asked).toEqual([[0, undefined]]);
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
