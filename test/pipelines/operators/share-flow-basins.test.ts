import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, of } from 'rxjs';
import type { Basin } from '../../../pipelines/operators/basin.ts';
import { LAG, type Memory, memory, scene } from '../../support/shared-scene.ts';

describe('shareFlow with basins', () => {
  it('lets the source run on without a consumer that lags, and gives it everything later', () => {
    const { consumer, push, isOpen, wait, kept, made, scheduled } = scene();
    const slow = consumer();
    push('Hab');
    slow.valve.next(false);
    push('c');
    expect(isOpen()).toBe(false);
    wait();
    expect([isOpen(), kept]).toEqual([true, []]);
    wait(2 * LAG);
    expect(scheduled()).toBe(0);
    push('deNf|');
    expect(slow.seen.text).toBe('HabD');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HabDcdeNf|');
    expect(made.map(({ from, holders, taking }) => [from, holders, taking])).toEqual([[0, 0, false]]);
    expect([made[0]?.ready.observed, scheduled()]).toEqual([false, 0]);
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
    wait();
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
    const { consumer, push, wait, made, isOpen: anyOpen, sources } = scene({ room: 2 });
    const isOpen = () => anyOpen(0);
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
    // The new one is waited for, and has not all values.
    made[1]?.ready.next(false);
    expect(isOpen()).toBe(false);
    made[1]?.ready.next(true);
    expect([isOpen(), made[0]?.ready.observed]).toEqual([true, false]);
    consumer();
    expect(sources).toHaveLength(2);
    push('e|', 0);
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HDabcDde|');
    expect(made.map(({ holders }) => holders)).toEqual([0, 0]);
  });

  it('counts the lag from when the valve closed, also if it says so again', () => {
    const { consumer, push, wait } = scene();
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    wait(LAG - 1);
    slow.valve.next(false);
    wait(1);
    expect(slow.seen.text).toBe('HaD');
  });

  it('keeps the values for consumers that come later if there is no room for those of one that lags', () => {
    const { consumer, push, wait, sources } = scene({ room: 0 });
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    wait();
    expect(consumer().seen.text).toBe('JHa');
    expect(sources).toHaveLength(1);
  });

  it('tries again while a full basin is still to be read by others', () => {
    const { consumer, push, wait, made, isOpen } = scene({ room: 2 });
    const first = consumer(false);
    push('H');
    wait();
    push('ab');
    first.valve.next(true);
    first.valve.next(false);
    const second = consumer(false);
    push('cd');
    wait(2 * LAG);
    expect([isOpen(), made.length, first.seen.text, second.seen.text]).toEqual([false, 1, 'HDab', 'JH']);
    second.valve.next(true);
    second.valve.next(false);
    wait(2 * LAG);
    expect(made.map(({ from }) => from)).toEqual([0, 2]);
    push('e|');
    for (const { valve } of [first, second]) valve.next(true);
    expect([first.seen.text, second.seen.text]).toEqual(['HDabDcde|', 'JHabcdDe|']);
  });

  it('replaces a full basin that its consumer has just read to its end', () => {
    const { consumer, push, wait, made } = scene({ room: 2 });
    const slow = consumer(false, NEVER, undefined, { at: { b: () => slow.valve.next(false) } });
    push('Ha');
    wait();
    push('bc');
    slow.valve.next(true);
    wait();
    push('d|');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HDabDcd|');
    expect(made.map(({ from }) => from)).toEqual([0, 2]);
  });

  it('says that its values go elsewhere only to a consumer that took them from memory', () => {
    const { consumer, push, wait } = scene();
    consumer(false);
    push('Ha');
    wait();
    push('b');
    const late = consumer(false);
    wait(2 * LAG);
    expect(late.seen.text).toBe('JH');
    late.valve.next(true);
    expect(late.seen.text).toBe('JHab');
  });

  it('passes values of weight 0 while the valve is closed, in their place', () => {
    const { consumer, push, wait } = scene();
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    wait();
    push('NbO');
    expect(slow.seen.text).toBe('HaDN');
    push('cP');
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HaDNbOcP');
  });

  it('continues in memory at once if nothing came while it lagged, whatever else is kept there', () => {
    const { consumer, push, wait, made } = scene();
    const first = consumer();
    push('Hab');
    first.valve.next(false);
    wait(LAG - 1);
    const second = consumer(false);
    wait(1);
    first.valve.next(true);
    expect(first.seen.text).toBe('HabD');
    push('c');
    second.valve.next(true);
    expect([first.seen.text, second.seen.text, made[0]?.reads]).toEqual(['HabDc', 'JHabc', 0]);
  });

  it('opens the source again for a consumer that has read a basin which failed meanwhile', () => {
    const copy = memory(3);
    const { consumer, push, wait, isOpen } = scene({ copy });
    const slow = consumer(false);
    push('H');
    wait();
    copy.stalled = true;
    push('abcd');
    slow.valve.next(true);
    expect([slow.seen.text, isOpen()]).toEqual(['HD', false]);
    copy.go();
    expect([slow.seen.text, isOpen()]).toEqual(['HDabcd', true]);
  });

  it('ends for a consumer that has everything, although its valve is closed, and for no other one', () => {
    const [all, rest] = [scene(), scene()];
    const [has, lacks] = [all.consumer(), rest.consumer()];
    for (const { push } of [all, rest]) push('Ha');
    for (const { valve } of [has, lacks]) valve.next(false);
    rest.push('b');
    for (const { wait } of [all, rest]) wait();
    all.push('|');
    rest.push('c|');
    expect([has.seen.text, lacks.seen.text, rest.made[0]?.reads]).toEqual(['HaD|', 'HaD', 0]);
    lacks.valve.next(true);
    expect(lacks.seen.text).toBe('HaDbc|');
  });

  it('moves what is kept to a basin, and ends it, if a consumer lags after the end', () => {
    const { consumer, push, wait, kept, made } = scene();
    const slow = consumer();
    push('Ha');
    slow.valve.next(false);
    push('bc|');
    wait();
    expect([slow.seen.text, kept, made.map(({ taking, to }) => [taking, to])]).toEqual(['HaD', [], [[false, 3]]]);
    slow.valve.next(true);
    expect(slow.seen.text).toBe('HaDbc|');
  });

  it('needs no other basin than the copy, also if a consumer lags after the end', () => {
    const copy = memory(100);
    const { consumer, push, wait, made } = scene({ copy });
    const slow = consumer(false);
    push('Habc|');
    wait();
    slow.valve.next(true);
    expect([slow.seen.text, made]).toEqual(['HDabc|', []]);
  });

  it('lets the source wait for a basin from the first value on, and follows it once', () => {
    const { consumer, push, wait, made, isOpen } = scene();
    const slow = consumer(false);
    push('Ha');
    wait();
    const basin = made[0] as Memory;
    basin.ready.next(false);
    expect(isOpen()).toBe(false);
    basin.ready.next(true);
    push('bcdef');
    expect(basin.ready.observers).toHaveLength(1);
    slow.leave();
    expect(basin.ready.observed).toBe(false);
  });

  it('tells its source that its consumer may have to continue alone, as long as there are basins', () => {
    const { consumer, push, sources } = scene();
    consumer();
    push('Habcdef');
    expect(sources[0]?.mayFallBehind()).toBe(true);
  });
});
