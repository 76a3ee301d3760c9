import { describe, it } from '@jest/globals';
import { map } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  type Head,
  type SourceHead,
  StreamError,
  type StreamRequest,
} from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { begin } from '../../../../pipelines/stages/attempts/begin.ts';
import type { JudgedHead } from '../../../../pipelines/stages/attempts/verify-before-head.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  chunk,
  marbles,
  sourceHead,
  textOf,
  untilEndOf,
} from '../../../support/pipeline.ts';

const bare = aCandidate('feed', anEntry());
const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
const CHUNKS = Object.fromEntries([...'abcd0'].map((letter) => [letter, chunk(letter === '0' ? '' : letter)]));

/** `H` the head; letters the body; `0` a chunk without bytes. */
const letterOf = (event: Head | Chunk): string => (event.type === 'head' ? 'H' : textOf(event.bytes));

const check = (
  source: string,
  result: string,
  more: Partial<SourceHead> = { length: 4 },
  request: Partial<StreamRequest> = {},
  { candidate = bare, verified = false }: { candidate?: Candidate; verified?: boolean } = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    const wanted = request.ranges?.[0] ? { range: request.ranges[0] } : {};
    const head: JudgedHead = { ...sourceHead(more), verified };
    const events = cold<JudgedHead | Chunk>(source, { ...CHUNKS, h: head }, lost);
    const begun = events.pipe(under(OPEN, begin(aRequest(request), candidate, wanted, aPolicy())), map(letterOf));
    expectObservable(begun).toBe(result, undefined, lost);
    expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
  });

describe('begin', () => {
  it('lets the head wait for the first byte', () => {
    check('h--a---b-c-d-|', '---(Ha)b-c-d-|');
    check('h-0--a---b-c-d-|', '-----(Ha)b-c-d-|');
  });

  it('emits nothing of a source that fails before its first byte', () => {
    check('h----#', '-----#');
    check('h-0--#', '-----#');
  });

  it('waits for the end with a chunk that would be held back as the last one', () => {
    check('h-a---|', '------(Ha|)', { length: 1 });
    check('h-a---#', '------#', { length: 1 });
  });

  it('waits for a second chunk if any chunk may be the last one', () => {
    check('h-a--b----c-#', '-----(Hab)c-#', {});
    check('h-a--#', '-----#', {});
  });

  it('waits for the first byte of the requested part', () => {
    const part = { ranges: [{ first: 2, last: 3 }] };
    check('h-a-b-c---d-|', '------(Hc)d-|', { length: 4 }, part);
    check('h-a-b-#', '------#', { length: 4 }, part);
    check('h-c---d-|', '--(Hc)d-|', { length: 4, from: 2 }, part);
  });

  it('waits for the end of an empty body', () => check('h--|', '---(H|)', { length: 0 }));

  it('lets the head of an answer to HEAD go at once', () => check('-h---|', '-H---|', {}, { method: 'HEAD' }));

  it('lets the head of verified content go at once', () =>
    check('h--a---b-c-d-|', 'H--a---b-c-d-|', { length: 4 }, {}, { verified: true }));

  it('lets a 304 go at once', () =>
    check('-h---', '-(H|)', { length: 4, headers: [['ETag', '"1"']] }, { conditions: { ifNoneMatch: ['"1"'] } }));
});
