import { describe, expect, it } from '@jest/globals';
import {
  type Chunk,
  type Head,
  type Note,
  recordHealth,
  type SourceId,
  StreamError,
  sourceName,
} from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { aCandidate, chunk, entryOf, headOf, marbles, untilEndOf } from '../../../support/pipeline.ts';

const entry = entryOf('ab');
const [first, second] = [aCandidate('first', entry), aCandidate('second', entry)];
const error = new StreamError('CONNECTION_LOST', 'feed', 'lost');

const VALUES: Record<string, Head | Chunk | Note> = {
  '1': { type: 'attempt', candidate: first, from: 0 },
  '2': { type: 'attempt', candidate: second, from: 1 },
  w: { type: 'asked', candidate: first },
  f: { type: 'failed', candidate: first, error, phase: 'mid-body', sent: 1 },
  r: { type: 'resumed', candidate: second, from: 1 },
  h: headOf(first, { length: 2 }),
  a: chunk('a'),
  b: chunk('b'),
};

/** The calls to the health memory, by the frame. */
const check = (source: string, expected: readonly string[], unsubscribed?: string) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const log: string[] = [];
    const events = cold(source, VALUES);
    const health = {
      observe: (note: Note) => log.push(`${note.type} ${'candidate' in note ? sourceName(note.candidate.source) : ''}`),
      began: ({ candidate }: Head) => log.push(`${sourceName(candidate.source)} began`),
      answered: (source: SourceId, took: number) => log.push(`${sourceName(source)} answered after ${took}`),
      succeeded: (source: SourceId) => log.push(`${sourceName(source)} succeeded`),
    };
    expectObservable(events.pipe(under(OPEN, recordHealth({ health }))), unsubscribed).toBe(source, VALUES);
    expectSubscriptions(events.subscriptions).toBe(unsubscribed ?? untilEndOf(source));
    flush();
    expect(log).toEqual(expected);
  });

describe('recordHealth', () => {
  it('records the time of a head, and the source that completed the body', () =>
    check('1---h-a-b-|', ['attempt first', 'first began', 'first answered after 4', 'first succeeded']));

  it('records the time of each of two sources that were asked', () =>
    check('1-2--h-a-|', [
      ...['attempt first', 'attempt second', 'first began', 'first answered after 5', 'first succeeded'],
    ]));

  it('records no time of a source that was not asked, and no success of none', () => {
    check('h-a-|', ['first began', 'first succeeded']);
    check('1-|', ['attempt first']);
  });

  it('leaves out the wait for a place', () =>
    check('1---w--h-a-|', [
      'attempt first',
      'asked first',
      'first began',
      'first answered after 3',
      'first succeeded',
    ]));

  it('records the source that failed mid-body, and the success of the one that continued', () =>
    check('1--h-a-f2--r-b|', [
      'attempt first',
      'first began',
      'first answered after 3',
      'failed first',
      'attempt second',
      'resumed second',
      'second answered after 3',
      'second succeeded',
    ]));

  it('records no success if the body failed or its consumer left', () => {
    check('1-h-a-#', ['attempt first', 'first began', 'first answered after 2']);
    check('1-h-a-', ['attempt first', 'first began', 'first answered after 2'], '^-----!');
  });

  it('reports each failed attempt', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const log: unknown[] = [];
      const failed = (...what: readonly unknown[]) => log.push(what);
      expectObservable(cold('1-h-a-f2--r-b|', VALUES).pipe(under(OPEN, recordHealth({ failed })))).toBe(
        '1-h-a-f2--r-b|',
        VALUES,
      );
      flush();
      expect(log).toEqual([[first, error]]);
    }));

  it('passes everything on without a health memory', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold('1-h-a-b-|', VALUES);
      expectObservable(events.pipe(under(OPEN, recordHealth({})))).toBe('1-h-a-b-|', VALUES);
      expectSubscriptions(events.subscriptions).toBe('^-------!');
    }));
});
