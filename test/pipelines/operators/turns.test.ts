import { describe, expect, it } from '@jest/globals';
import { createTurns } from '../../../pipelines/operators/turns.ts';

/** Turns of items that are named after their owners: `a1`, `a2`, `b1`. */
const turnsOf = (...items: readonly string[]) => {
  const turns = createTurns<string>();
  for (const item of items) turns.add(item, item.charAt(0));
  return turns;
};

/** The items in the order in which they are served. */
const served = (turns: ReturnType<typeof turnsOf>, may?: (owner: string) => boolean): string => {
  const order: string[] = [];
  for (let item = turns.first(may); item !== undefined; item = turns.first(may)) {
    order.push(item);
    turns.serve(item);
  }
  return order.join(' ');
};

describe('turns', () => {
  it('go to each owner once before they come to one again', () => {
    const turns = turnsOf('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    expect(turns.size()).toBe(6);
    expect(served(turns)).toBe('a1 b1 c1 a2 c2 a3');
    expect(turns.size()).toBe(0);
  });

  it('are looked at without being served', () => {
    const turns = turnsOf('a1', 'b1');
    expect([turns.first(), turns.first(), turns.size()]).toEqual(['a1', 'a1', 2]);
  });

  it('keep their order when an item leaves', () => {
    const turns = turnsOf('a1', 'a2', 'b1', 'c1');
    turns.delete('a1');
    turns.delete('c1');
    expect(turns.size()).toBe(2);
    expect(served(turns)).toBe('a2 b1');
  });

  it('are lost by an owner whose last item has left or was served', () => {
    const turns = turnsOf('a1', 'b1', 'b2', 'c1');
    turns.delete('a1');
    turns.serve('b1');
    turns.add('a2', 'a');
    expect(served(turns)).toBe('c1 b2 a2');
  });

  it('come last to an owner who was served, and has nothing more until later', () => {
    const turns = turnsOf('a1', 'b1', 'c1');
    turns.serve('a1');
    turns.add('d1', 'd');
    turns.add('a2', 'a');
    expect(served(turns)).toBe('b1 c1 d1 a2');
  });

  it('pass over owners that may not be served, and keep their turn', () => {
    const turns = turnsOf('a1', 'b1', 'b2', 'c1');
    expect(served(turns, (owner) => owner === 'b')).toBe('b1 b2');
    expect(served(turns)).toBe('a1 c1');
  });

  it('pay no attention to an item that does not wait', () => {
    const turns = turnsOf('a1', 'b1');
    turns.serve('a1');
    turns.delete('a1');
    turns.serve('x');
    expect([turns.size(), served(turns)]).toEqual([1, 'b1']);
  });
});
