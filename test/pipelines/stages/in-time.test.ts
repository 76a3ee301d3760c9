import { describe, expect, it } from '@jest/globals';
import { map, type Observable, of } from 'rxjs';
import {
  attempts,
  type Candidate,
  createSliceMemory,
  type LazyFetchDeps,
  type SourceEvent,
  StreamError,
  type StreamRequest,
} from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  chunk,
  fetched,
  inTurn,
  marbles,
  newDigest,
  sourceHead,
  unpaused,
} from '../../support/pipeline.ts';

const entry = anEntry({ size: 2 });
const [first, second, third] = ['first', 'second', 'third'].map((name) => aCandidate(name, entry));
const EVENTS: Record<string, SourceEvent> = { h: sourceHead({ length: 2 }), a: chunk('a'), b: chunk('b') };
const nothing = new StreamError('ANSWER_TIMEOUT', 'self', 'nothing was found out about /pulp/bear.rpm within 20 ms');
const late = (code: string) => expect.objectContaining({ code }) as unknown as StreamError;

describe('a head in time', () => {
  const pipeline = (more: Partial<LazyFetchDeps>, ...answers: Observable<SourceEvent>[]) => {
    const deps: LazyFetchDeps = {
      catalog: { lookup: () => of(entry) },
      sources: [() => of(first as Candidate)],
      open: unpaused(inTurn(...answers)),
      newDigest,
      policy: aPolicy({ answerTimeout: 20 }),
      random: () => 1,
      ...more,
    };
    return (request: Partial<StreamRequest> = {}) => fetched(request, deps).pipe(map(({ type }) => type[0]));
  };

  it('is not awaited from a catalog that does not answer', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const lookup = cold<typeof entry>('-');
      expectObservable(pipeline({ catalog: { lookup: () => lookup } })()).toBe(
        `${'-'.repeat(20)}#`,
        undefined,
        nothing,
      );
      expectSubscriptions(lookup.subscriptions).toBe(`^${'-'.repeat(19)}!`);
    }));

  it('is not awaited while memory for slices is taken', () =>
    marbles(({ cold, expectObservable }) => {
      const slices = createSliceMemory(1);
      const range = { first: 0, last: 0 };
      cold<never>('-').pipe(slices(range)).subscribe();
      expectObservable(pipeline({ slices })({ slice: true, ranges: [range] })).toBe(
        `${'-'.repeat(20)}#`,
        undefined,
        nothing,
      );
    }));

  it('counts a slow look-up', () =>
    marbles(({ cold, expectObservable }) => {
      const lookup = cold('     -----(e|)', { e: entry });
      const silent = cold<SourceEvent>('-');
      // `f` found, `a` an attempt, `f` its failure.
      expectObservable(pipeline({ catalog: { lookup: () => lookup } }, silent)()).toBe(
        `-----(fa)${'-'.repeat(11)}(f#)`,
        undefined,
        late('HEAD_TIMEOUT'),
      );
    }));
});

/** `L` the list of candidates, `T` an attempt, `F` its failure, `h` the head, letters the body. */
const letters: Record<string, string> = { found: 'L', attempt: 'T', failed: 'F', head: 'h', chunk: 'c' };

describe('attempts at a head in time', () => {
  const tried = (candidates: readonly (Candidate | undefined)[], ...answers: Observable<SourceEvent>[]) => {
    const policy = aPolicy({ answerTimeout: 24, headTimeout: 50, readTimeout: 50, retryWait: 4 });
    const deps = { newDigest, random: () => 1, policy, open: unpaused(inTurn(...answers)) };
    return of(candidates as readonly Candidate[]).pipe(
      under(OPEN, attempts(aRequest({ answerBy: 24 }), deps)),
      map(({ type }) => letters[type] ?? ''),
    );
  };

  it('end with a silent source by its failure', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const silent = cold<SourceEvent>('-');
      expectObservable(tried([first], silent)).toBe(`(LT)${'-'.repeat(20)}(F#)`, undefined, late('HEAD_TIMEOUT'));
      expectSubscriptions(silent.subscriptions).toBe(`^${'-'.repeat(23)}!`);
    }));

  it('end with a source that sends only a head', () =>
    marbles(({ cold, expectObservable }) => {
      const silent = cold<SourceEvent>('------h', EVENTS);
      expectObservable(tried([first], silent)).toBe(`(LT)${'-'.repeat(20)}(F#)`, undefined, late('STALLED'));
    }));

  it('leave half of the time left to the other sources', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [silent, headOnly] = [cold<SourceEvent>('-'), cold<SourceEvent>('-h', EVENTS)];
      const good = cold('                             --h-a---b|', EVENTS);
      const result = '       (LT)--------(FT)--(FT)(hc)c|';
      expectObservable(tried([first, second, third], silent, headOnly, good)).toBe(result);
      expectSubscriptions(silent.subscriptions).toBe('  ^-----------!');
      expectSubscriptions(headOnly.subscriptions).toBe('------------^-----!');
    }));

  it('leave the second half to outdated sources: the newest one is not asked again and again', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const silent = cold<SourceEvent>('-');
      const good = cold('--h-a---b|', EVENTS);
      const old = { ...(second as Candidate), outdated: true };
      expectObservable(tried([first, old], silent, good)).toBe('(LT)--------(FT)(hc)c|');
      expectSubscriptions(silent.subscriptions).toBe('^-----------!');
    }));

  it('end instead of a pause that would be too long', () =>
    marbles(({ cold, expectObservable }) => {
      const busy = new StreamError('SOURCE_BUSY', 'feed', 'busy', { retryAfter: 24 });
      expectObservable(tried([first], cold<SourceEvent>('-----#', {}, busy))).toBe('(LT)-(F#)', undefined, busy);
    }));

  it('do not limit the body that follows', () =>
    marbles(({ cold, expectObservable }) => {
      const slow = cold('-----h-a----------------------b|', EVENTS);
      expectObservable(tried([first], slow)).toBe('(LT)---(hc)-------------------c|');
    }));
});
