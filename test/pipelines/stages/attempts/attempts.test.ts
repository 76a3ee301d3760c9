import { describe, it } from '@jest/globals';
import { map, type Observable, of } from 'rxjs';
import {
  attempts,
  type Chunk,
  type Head,
  type Note,
  type SourceEvent,
  StreamError,
} from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  inTurn,
  marbles,
  newDigest,
  sourceHead,
  textOf,
  unpaused,
} from '../../../support/pipeline.ts';

const entry = entryOf('ab');
const [first, second] = [aCandidate('first', entry), aCandidate('second', entry)];
const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
const gone = new StreamError('SOURCE_MISSING', 'feed', 'gone');

/** Events of sources: `h` the head, `1` one that starts at byte 1, letters the body. */
const EVENTS: Record<string, SourceEvent> = {
  h: sourceHead({ length: 2 }),
  '1': sourceHead({ length: 2, from: 1 }),
  a: chunk('a'),
  b: chunk('b'),
};

/**
 * `L` the list of candidates, `T` an attempt, `F` its failure, `R` that the body is resumed; `h`
 * the head, letters the body.
 */
const letterOf = (event: Head | Chunk | Note): string => {
  if (event.type === 'head') return 'h';
  if (event.type === 'chunk') return textOf(event.bytes);
  return {
    found: 'L',
    attempt: 'T',
    asked: 'A',
    failed: 'F',
    resumed: 'R',
    recorded: '',
    shared: '',
    behind: '',
    'on-disk': '',
  }[event.type];
};

/** The stage with sources that answer in turn. */
const tried = (candidates: readonly (typeof first)[], ...answers: Observable<SourceEvent>[]): Observable<string> => {
  const deps = { newDigest, random: () => 1, policy: aPolicy({ retryWait: 4 }), open: unpaused(inTurn(...answers)) };
  return of(candidates).pipe(under(OPEN, attempts(aRequest(), deps)), map(letterOf));
};

describe('attempts', () => {
  it('emits the list, then tries the first candidate', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('     -----h-a---b|', EVENTS);
      expectObservable(tried([first, second], source)).toBe('(LT)---(ha)b|');
      expectSubscriptions(source.subscriptions).toBe('       ^-----------!');
    }));

  it('leaves a source that failed before it opens the next, in the same frame', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const missing = cold<SourceEvent>('-----#', {}, gone);
      const good = cold('                 -----h-a---b|', EVENTS);
      expectObservable(tried([first, second], missing, good)).toBe('(LT)-(FT)---(ha)b|');
      expectSubscriptions(missing.subscriptions).toBe('^----!');
      expectSubscriptions(good.subscriptions).toBe('   -----^-----------!');
    }));

  it('continues mid-body from another source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const dies = cold('          -----h-a---#', EVENTS, gone);
      const goesOn = cold('                 -----1-b|', EVENTS);
      const result = '             (LT)---(ha)(FT)-R-b|';
      expectObservable(tried([first, second], dies, goesOn)).toBe(result);
      expectSubscriptions(dies.subscriptions).toBe('  ^----------!');
      expectSubscriptions(goesOn.subscriptions).toBe('-----------^-------!');
    }));

  it('has a source start over that continues a copy whose bytes were checked', () =>
    marbles(({ cold, expectObservable }) => {
      const copy = { ...first, blocks: { length: 2, crc32: Uint32Array.of(1) } };
      const events = { ...EVENTS, h: sourceHead({ length: 2, checked: true }), s: EVENTS.h as SourceEvent };
      const damaged = cold('-----h-a---#', events, new StreamError('CHANGED', 'disk', 'changed'));
      const other = cold('          -----s-a-b---|', events);
      expectObservable(tried([copy, second], damaged, other)).toBe('(LT)---(ha)(FT)-----(Rb)|');
    }));

  it('waits before it tries the only candidate again, and stops the timer when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answers = () => [cold<SourceEvent>('-----#', {}, lost), cold('-ha', EVENTS)] as const;
      const [one, again] = answers();
      const unsubscribed = '                               ^-----------!';
      expectObservable(tried([first], one, again), unsubscribed).toBe('(LT)-F---T-(ha)');
      expectSubscriptions(one.subscriptions).toBe('        ^----!');
      expectSubscriptions(again.subscriptions).toBe('      ---------^--!');

      const [other, never] = answers();
      expectObservable(tried([first], other, never), '     ^-------!').toBe('(LT)-F');
      expectSubscriptions(never.subscriptions).toBe([]);
    }));
});
