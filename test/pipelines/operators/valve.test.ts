import { describe, expect, it } from '@jest/globals';
import { Subject, Subscriber } from 'rxjs';
import { followValve, Gate } from '../../../pipelines/operators/valve.ts';

const into = (seen: unknown[]): Subscriber<unknown> =>
  new Subscriber<unknown>({ next: () => {}, error: (error: unknown) => seen.push(`${error}`), complete: () => {} });

describe.each([
  ['a gate', true],
  ['any valve', false],
])('followValve, of %s', (_, isGate) => {
  const aValve = () => {
    const gate = new Gate(true);
    return { gate, valve: isGate ? gate : gate.asObservable() };
  };

  it('reports the present state, and each move', () => {
    const { gate, valve } = aValve();
    const seen: unknown[] = [];
    followValve(valve, into(seen), (open) => seen.push(open));
    gate.next(false);
    gate.next(true);
    expect(seen).toEqual([true, false, true]);
    expect(gate.observed).toBe(true);
  });

  it('ends with the subscriber, or earlier', () => {
    const { gate, valve } = aValve();
    const seen: unknown[] = [];
    const out = into(seen);
    followValve(valve, out, (open) => seen.push(['a', open]));
    const leave = followValve(valve, out, (open) => seen.push(['b', open]));
    leave();
    gate.next(false);
    out.unsubscribe();
    gate.next(true);
    expect(seen).toEqual([
      ['a', true],
      ['b', true],
      ['a', false],
    ]);
    expect(gate.observed).toBe(false);
  });

  it('reports to no follower that another one has ended', () => {
    const { gate, valve } = aValve();
    const seen: unknown[] = [];
    const out = into(seen);
    followValve(valve, into([]), (open) => open || out.unsubscribe());
    followValve(valve, out, (open) => seen.push(open));
    gate.next(false);
    expect(seen).toEqual([true]);
  });
});

it('gives the error of a valve to the subscriber', () => {
  const seen: unknown[] = [];
  const valve = new Subject<boolean>();
  followValve(valve, into(seen), () => {});
  valve.error(new Error('broken'));
  expect(seen).toEqual(['Error: broken']);
});

it('reports no move of a gate once a follower has moved it again', () => {
  const gate = new Gate(false);
  const seen: boolean[] = [];
  const out = into([]);
  // One that emits what it holds, whereupon the consumer closes the valve.
  followValve(gate, out, (open) => open && gate.next(false));
  followValve(gate, out, (open) => seen.push(open));
  gate.next(true);
  expect([seen, gate.value]).toEqual([[false, false], false]);
});

it('reports a move of a gate to all that follow it then, if one leaves or comes within it', () => {
  const gate = new Gate(true);
  const seen: string[] = [];
  const out = into([]);
  const leave = followValve(gate, out, (open) => {
    if (open) return;
    leave();
    followValve(gate, out, (open) => seen.push(`new ${open}`));
  });
  for (const name of ['a', 'b']) followValve(gate, out, (open) => seen.push(`${name} ${open}`));
  seen.length = 0;
  gate.next(false);
  expect(seen).toEqual(['new false', 'a false', 'b false']);
});

it('gives an exception of a follower of a gate to its subscriber', () => {
  const seen: unknown[] = [];
  const gate = new Gate(true);
  followValve(gate, into(seen), (open) => {
    if (!open) throw new Error('broken');
  });
  gate.next(false);
  expect(seen).toEqual(['Error: broken']);
});
