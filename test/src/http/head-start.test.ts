import { describe, expect, it } from '@jest/globals';
import { mergeMap, Subject, timer } from 'rxjs';
import { headStart } from '../../../src/http/head-start.ts';
import { marbles, untilEndOf } from '../../support/pipeline.ts';
import { takenLate } from './head-start.diagram.ts';

/** The consumer subscribes after six milliseconds. */
const CASES = [
  //    what it does                                 source             result
  ['holds the end as well                         ', 'a-b-|       ', '------(ab|) ', 0],
  ['errors in its turn as its source does         ', 'a-------c--#', '------a-c--#', 0],
  ['holds only the error of a failed source       ', 'a-b-#       ', '------#     ', 1],
] as const;

describe('a head start', () => {
  it('holds the events until the consumer subscribes', () => marbles(takenLate.holds));

  it.each(CASES)('%s', (_, source, result, failures) => {
    const failed: unknown[] = [];
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source);
      const held = headStart(events, (error) => failed.push(error));
      expectObservable(timer(6).pipe(mergeMap(() => held.events))).toBe(result);
      expectSubscriptions(events.subscriptions).toBe(untilEndOf(source.trim()));
    });
    expect(failed).toEqual(Array(failures).fill('error'));
  });

  it('retains lent events until they are taken or dropped', () => {
    for (const end of ['take', 'leave', 'fail'] as const) {
      const held = new Set<string>();
      const lending = { retain: (value: string) => held.add(value), release: (value: string) => held.delete(value) };
      const source = new Subject<string>();
      const started = headStart(source, () => {}, lending);
      source.next('a');
      expect([...held]).toEqual(['a']);
      if (end === 'take') started.events.subscribe();
      else if (end === 'leave') started.leave();
      else source.error(new Error('broken'));
      source.next('b');
      expect([...held]).toEqual([]);
    }
  });

  it('unsubscribes from its source, before and after the consumer has subscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [left, taken] = [cold('a-b----c-d'), cold('a-b----c-d')];
      const held = headStart(left, () => {});
      timer(3).subscribe(held.leave);
      expectSubscriptions(left.subscriptions).toBe('^--!');

      const other = headStart(taken, () => {});
      expectObservable(timer(3).pipe(mergeMap(() => other.events)), '--------!').toBe('---(ab)c');
      expectSubscriptions(taken.subscriptions).toBe('^-------!');
    }));
});
