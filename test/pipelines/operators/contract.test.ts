import { describe, expect, it } from '@jest/globals';
import { NEVER, Observable, type OperatorFunction, take } from 'rxjs';
import {
  type Chunk,
  type Head,
  keep,
  learn,
  type Note,
  operate,
  patience,
  record,
  report,
  type SourceHead,
  StreamError,
  speedFloor,
  stallTimeout,
  verify,
} from '../../../pipelines/index.ts';
import { limitConcurrency } from '../../../pipelines/operators/limit-concurrency.ts';
import { rateLimit } from '../../../pipelines/operators/rate-limit.ts';
import { measure } from '../../../pipelines/stages/measure.ts';
import { resume } from '../../../pipelines/stages/resume.ts';
import { verifyWhole } from '../../../pipelines/stages/verify-whole.ts';
import { aCandidate, aRequest, chunk, digest, entryOf, headOf, marbles, sourceHead } from '../../support/river.ts';

const candidate = aCandidate('feed', entryOf('abc'));
const request = aRequest({ valve: NEVER });
type Event = Head | SourceHead | Chunk | Note;

interface Case {
  readonly name: string;
  readonly operator: () => OperatorFunction<Event, Event>;
  readonly head: Event;
}

const head = { ...sourceHead({ length: 3 }), ...headOf(candidate, { length: 3 }) };
const kase = <T, R>(name: string, operator: () => OperatorFunction<T, R>): Case => ({
  name,
  // Each operator takes a part of Event; the inputs below are right for all of them.
  operator: operator as unknown as Case['operator'],
  head,
});

/** Every operator of the house; a new one is added here and has to pass all rows. */
const CASES: readonly Case[] = [
  kase('operate', () => operate<Event, Event>((out) => ({ next: (event) => out.next(event) }))),
  kase('stallTimeout', () => stallTimeout<Event>({ within: 100, valve: NEVER, error: () => 'stalled' })),
  kase('speedFloor', () =>
    speedFloor<Event>({ atLeast: 0, window: 100, size: () => 1, valve: NEVER, error: () => 'slow' }),
  ),
  kase('patience', () => patience<Event>({ within: 100, valve: NEVER, error: () => 'stuck' })),
  kase('learn', () => learn({})),
  kase('limitConcurrency', () => limitConcurrency(1)<Event>),
  kase<Event, Event>('rateLimit', () => {
    const size = (event: Event) => (event.type === 'chunk' ? event.bytes.length : 0);
    const limit = rateLimit<Event>({ perSecond: 1000, size, split: (event) => [event, event] });
    return (source) => limit(NEVER, () => source);
  }),
  kase('measure', () => measure(candidate)),
  kase('resume', () => resume(candidate, { candidate, length: 3 }, 0)),
  kase('verifyWhole', () => verifyWhole(candidate, -1, digest)),
  kase('verify', () => verify(request, { digest })),
  kase('keep', () => keep(request, {})),
  kase('record', () => record(request, {})),
  kase('report', () => report(request, {})),
];

describe.each(CASES)('contract of operators: $name', ({ operator, head }) => {
  const VALUES = { h: head, a: chunk('a'), b: chunk('b'), c: chunk('c') };
  const failure = new StreamError('STALLED', 'feed', 'on purpose');

  it('passes an error on in the same frame and leaves the source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Event>('---#', {}, failure);
      expectObservable(source.pipe(operator())).toBe('---#', {}, failure);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    }));

  it('completes in the frame of the source and leaves it', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Event>(' h-a-b-c-|', VALUES);
      const completion = source.pipe(
        operator(),
        (events) =>
          new Observable((out) => events.subscribe({ complete: () => out.complete(), error: (e) => out.error(e) })),
      );
      expectObservable(completion).toBe('--------|');
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    }));

  it('passes an unsubscription on at once', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<Event>('---h-a-b-c', VALUES);
      expectObservable(source.pipe(operator()), '^-!').toBe('---');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }));

  it('stops a synchronous source that its consumer has had enough of', () => {
    let pushed = 0;
    const endless = new Observable<Event>((out) => {
      out.next(head);
      pushed += 1;
      while (!out.closed && pushed < 1000) {
        out.next(chunk(''));
        pushed += 1;
      }
    });
    endless.pipe(operator(), take(1)).subscribe();
    expect(pushed).toBeLessThan(5);
  });

  it('keeps its state to one subscription', () => {
    const source = new Observable<Event>((out) => {
      for (const value of Object.values(VALUES)) out.next(value);
      out.complete();
    });
    const result = source.pipe(operator());
    const run = () => {
      const log: unknown[] = [];
      result.subscribe({
        next: (value) => log.push((value as Event).type),
        complete: () => log.push('|'),
        error: (error) => log.push(error),
      });
      return log;
    };
    expect(run()).toEqual(run());
    expect(run().at(-1)).toBe('|');
  });
});

describe('operate', () => {
  it('turns what a handler throws into the error of the result and leaves the source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a-b-c');
      const throwing = operate<string, string>((out) => ({
        next: (value) => {
          if (value === 'b') throw new Error('no b');
          out.next(value);
        },
      }));
      expectObservable(source.pipe(throwing)).toBe('a-#', undefined, new Error('no b'));
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }));

  it('turns what an end handler throws into the error of the result', () =>
    marbles(({ cold, expectObservable }) => {
      const throwing = operate<string, string>((out) => ({
        next: (value) => out.next(value),
        complete: () => {
          throw new Error('no end');
        },
      }));
      expectObservable(cold('a-|').pipe(throwing)).toBe('a-#', undefined, new Error('no end'));
    }));
});
