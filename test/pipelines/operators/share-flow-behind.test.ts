import { describe, expect, it } from '@jest/globals';
import { concat, defer, NEVER, Observable, of, throwError } from 'rxjs';
import { LAG, type Memory, memory, scene } from '../../support/shared-scene.ts';

describe('a consumer of shareFlow that falls behind, or leaves early', () => {
  it('has a consumer that falls behind take from the copy, without waiting for the lag', () => {
    const copy = memory(100);
    const { consumer, push } = scene({ copy });
    const [quick, slow] = [consumer(), consumer(false)];
    push('Habcdefg');
    slow.valve.next(true);
    push('h|');
    expect([quick.seen.text, slow.seen.text]).toEqual(['Habcdefgh|', 'JHabcdefgh|']);
  });

  it('never calls a consumer within a value that it has', () => {
    const { consumer, push } = scene();
    const within: string[] = [];
    const only = consumer(true, NEVER, undefined, {
      at: {
        a: () => {
          push('bc');
          within.push(only.seen.text);
        },
      },
    });
    push('Ha');
    expect([within, only.seen.text]).toEqual([['Ha'], 'Habc']);
  });

  it('moves a consumer that falls behind within a value to its fallback, after that value', () => {
    const copy = memory(2);
    const { consumer, push } = scene({ copy });
    consumer();
    const within: string[] = [];
    let asked = 0;
    const own = defer(() => {
      asked += 1;
      return concat(of('x'), NEVER);
    });
    const busy = consumer(true, own, undefined, {
      at: {
        a: () => {
          push('bcdefgh');
          within.push(busy.seen.text);
        },
      },
    });
    push('Ha');
    expect([within, busy.seen.text, asked]).toEqual([['JHa'], 'JHax', 1]);
  });

  it('asks no fallback for a consumer that leaves within a value in which it falls behind', () => {
    const { consumer, push } = scene();
    consumer();
    const own = throwError(() => new Error('asked'));
    const busy = consumer(true, own, undefined, {
      at: {
        a: (leave) => {
          push('bcdefgh');
          leave();
        },
      },
    });
    push('Ha');
    expect(busy.seen).toEqual({ text: 'JHa', error: '' });
  });

  it('moves all that fall behind to their fallbacks, although the source goes on when the first one leaves', () => {
    const { consumer, push, hold } = scene({ room: 0 });
    const own = () => concat(of('x'), NEVER);
    const slow = [consumer(false, own()), consumer(false, own())];
    push('Habc');
    hold('z');
    const last = consumer(true, NEVER, undefined, { at: { c: () => push('defgh') } });
    expect([...slow, last].map(({ seen }) => seen.text)).toEqual(['Hx', 'JHx', 'JHabcdezfgh']);
  });

  it('moves each of them once, also if one has its fallback open the valve of another', () => {
    const { consumer, push } = scene({ room: 0 });
    let asked = 0;
    const slow = [
      consumer(
        false,
        defer(() => {
          slow[1]?.valve.next(true);
          return NEVER;
        }),
      ),
      consumer(
        false,
        defer(() => {
          asked += 1;
          return concat(of('x'), NEVER);
        }),
      ),
    ];
    consumer();
    push('Habcde');
    expect([slow[1]?.seen.text, asked]).toEqual(['JHx', 1]);
  });

  it('admits nobody to a source whose copy has failed, and whose next basin lacks the first values', () => {
    const copy = memory(100);
    const { consumer, push, wait, made, sources } = scene({ copy });
    const quick = consumer();
    push('Habcdefg');
    copy.end();
    push('h');
    quick.valve.next(false);
    wait();
    expect(made.map(({ from, taking }) => [from, taking])).toEqual([[6, true]]);
    expect([consumer().seen, sources.length]).toEqual([{ text: '', error: '' }, 2]);
  });

  it('moves a consumer to its fallback if the first values are dropped while it joins', () => {
    const { consumer, push } = scene({ room: 0 });
    consumer();
    push('Hab');
    const joining = consumer(true, concat(of('x'), NEVER), undefined, { at: { J: () => push('cdefg') } });
    expect(joining.seen).toEqual({ text: 'JHx', error: '' });
  });

  it('moves a consumer to its fallback whose basin has failed before another one was opened', () => {
    const copy = memory(100);
    const { consumer, push, wait, made } = scene({ copy });
    const slow = consumer(false, concat(of('x'), NEVER));
    push('H');
    wait();
    copy.end();
    const quick = consumer();
    push('abcdefgh');
    quick.valve.next(false);
    wait();
    expect(made.map(({ from }) => from)).toEqual([4]);
    slow.valve.next(true);
    expect([slow.seen, made[0]?.reads]).toEqual([{ text: 'HDx', error: '' }, 0]);
  });

  describe('with a valve that moves while it is subscribed to', () => {
    /** Counts those that follow it. */
    const restless = (...states: readonly boolean[]) => {
      const seen = { followers: 0 };
      const valve = new Observable<boolean>((out) => {
        seen.followers += 1;
        for (const state of states) out.next(state);
        return () => {
          seen.followers -= 1;
        };
      });
      return { valve, seen };
    };

    it('moves a consumer to its fallback once, and leaves its valve', () => {
      const { consumer, push, wait, made, scheduled } = scene();
      consumer(false);
      push('Ha');
      wait();
      push('bc');
      Object.assign(made[0] as Memory, { broken: true });
      const { valve, seen } = restless(false, true, false);
      let asked = 0;
      const own = defer(() => {
        asked += 1;
        return concat(of('x'), NEVER);
      });
      const late = consumer(true, own, undefined, { follow: valve });
      wait(2 * LAG);
      expect([late.seen.text, asked, seen.followers, scheduled()]).toEqual(['JHx', 1, 0, 0]);
    });

    it('schedules nothing for a consumer that has left', () => {
      const { consumer, push, scheduled, wait } = scene();
      consumer();
      push('Ha');
      const { valve, seen } = restless(false, true, false);
      consumer(true, NEVER, undefined, { follow: valve, at: { a: (leave) => leave() } });
      wait(2 * LAG);
      expect([seen.followers, scheduled()]).toEqual([0, 0]);
    });
  });

  it('opens no source for a consumer whose valve has failed', () => {
    const { consumer, sources } = scene();
    const only = consumer(true, NEVER, undefined, { follow: throwError(() => new Error('broken')) });
    expect([only.seen.error, sources]).toEqual(['broken', []]);
  });

  it('does not read a basin for a consumer that leaves within the head', () => {
    const { consumer, push, wait, made } = scene();
    consumer(false);
    push('Ha');
    wait();
    push('bc');
    const late = consumer(true, NEVER, undefined, { at: { H: (leave) => leave() } });
    expect([late.seen.text, made[0]?.reads]).toEqual(['JH', 0]);
  });

  it('is left once by a consumer that falls back, however long that lasts', () => {
    const { consumer, push, sources, made, wait } = scene();
    const first = consumer(true, NEVER, true);
    push('Habcd');
    Object.assign(made[0] as Memory, { broken: true });
    const second = consumer(true, NEVER);
    first.leave();
    wait(LAG - 1);
    second.leave();
    wait(1);
    expect(sources[0]?.events.observed).toBe(false);
  });
});
