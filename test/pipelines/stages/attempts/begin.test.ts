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

interface More {
  readonly candidate?: Candidate;
  readonly verified?: boolean;
  readonly error?: StreamError;
}

const check = (
  source: string,
  result: string,
  more: Partial<SourceHead> = { length: 4 },
  request: Partial<StreamRequest> = {},
  { candidate = bare, verified = false, error = lost }: More = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions }) => {
    const wanted = request.ranges?.[0] ? { range: request.ranges[0] } : {};
    const head: JudgedHead = { ...sourceHead(more), verified };
    const events = cold<JudgedHead | Chunk>(source, { ...CHUNKS, h: head }, lost);
    const begun = events.pipe(under(OPEN, begin(aRequest(request), candidate, wanted, aPolicy())), map(letterOf));
    expectObservable(begun).toBe(result, undefined, error);
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

  it('fails if the client needs a length and nobody knows it', () => {
    const error = new StreamError(
      'LENGTH_UNKNOWN',
      'feed',
      'http://feed/bear.rpm sent no length, but the client needs one',
    );
    check('-h-a-b-|', '-#', {}, { lengthRequired: true }, { error });
    check('-h-a---b|', '---(Ha)b|', { length: 4 }, { lengthRequired: true });
    check('-h|', '-H|', {}, { method: 'HEAD', lengthRequired: true });
    check(
      '-h-a---b|',
      '---(Ha)b|',
      {},
      { lengthRequired: true },
      {
        candidate: aCandidate('feed', anEntry({ size: 2 })),
      },
    );
  });

  it('fails if the content lacks all of the bytes', () => {
    const error = new StreamError('UNSATISFIABLE', 'feed', 'http://feed/bear.rpm has only 4 bytes', { length: 4 });
    check('-h-a-', '-#', { length: 4 }, { ranges: [{ first: 4 }] }, { error });
    check('-h-a-', '-#', { length: 4, from: 4 }, { ranges: [{ first: 4 }] }, { error });
  });

  it('fails if the source starts after the requested byte', () => {
    const error = new StreamError('NO_RANGE', 'feed', 'http://feed/bear.rpm starts at byte 2, not at 1');
    check('-h-c-', '-#', { length: 4, from: 2 }, { ranges: [{ first: 1 }] }, { error });
  });

  it('lets a 412 of outdated content go at once, but no 304', () => {
    const candidate = { ...bare, outdated: true };
    const more = { length: 1, headers: [['ETag', '"1"']] as const };
    check('-h-a-|', '-(H|)', more, { conditions: { ifMatch: ['"2"'] } }, { candidate });
    check('-h-a-|', '-----(Ha|)', more, { conditions: { ifNoneMatch: ['"1"'] } }, { candidate });
  });
});
