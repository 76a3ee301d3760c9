import { describe, it } from '@jest/globals';
import { map } from 'rxjs';
import { type Part, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { cutPart } from '../../../pipelines/stages/cut-part.ts';
import { cutSeveral } from '../../../pipelines/stages/cut-several.ts';
import type { TransferEvent } from '../../../pipelines/stages/transfer.ts';
import { aCandidate, aPolicy, chunk, entryOf, headOf, marbles, textOf } from '../../support/pipeline.ts';

const candidate = aCandidate('feed', entryOf('abcdef'));
const VALUES: Readonly<Record<string, TransferEvent>> = {
  h: headOf(candidate, { length: 6, total: 6 }),
  /** Of unknown length, and an answer without a body. */
  u: headOf(candidate),
  n: headOf(candidate, { status: 304, whole: false }),
  /** An answer that is a part itself. */
  q: headOf(candidate, { status: 206, length: 3, total: 6, whole: false }),
  w: chunk('cdef'),
  ...Object.fromEntries([...'abcdef'].map((letter) => [letter, chunk(letter)])),
};
/** A head as its status, a chunk as its bytes. */
const mapShown = map((event: TransferEvent) => {
  if (event.type === 'chunk') return textOf(event.bytes);
  return event.type === 'head' ? `${event.status}` : event.type;
});
const SHOWN = { h: '200', p: '206', n: '304', w: 'cd', ...Object.fromEntries([...'abcdef|'].map((one) => [one, one])) };

describe('cutPart', () => {
  /** Bytes 1 to 3, of content that is small or not. */
  const check = (
    source: string,
    result: string,
    {
      window,
      small = false,
      ifRange,
      first = 1,
    }: { window?: string; small?: boolean; ifRange?: string; first?: number } = {},
    error?: StreamError,
  ) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source, VALUES);
      const stage = cutPart({ first, last: 3 }, ifRange, aPolicy({ verifyWholeBelow: small ? 6 : 0 }));
      expectObservable(events.pipe(under(OPEN, stage), mapShown)).toBe(result, SHOWN, error);
      if (window !== undefined) expectSubscriptions(events.subscriptions).toBe(window);
    });

  it('leaves the source with its last byte', () => {
    check('h-a-b-c-d-e-f-|', 'p---b-c-(d|)', { window: '^-------!' });
    check('h-a-b-w', 'p---b-(w|)', { window: '^-----!' });
  });
  it('of small content waits with its last bytes for the end', () => {
    check('h-a-b-c-d-e-f-|', 'p---b-c-------(d|)', { small: true, window: '^-------------!' });
    check('h-a-b-w-|', 'p---b---(w|)', { small: true });
    check('h-a-b-c-d-e-#', 'p---b-c-----#', { small: true });
  });
  it('passes what it cannot cut', () => {
    check('u-a-b-|', 'h-a-b-|');
    check('n|', 'n|');
    check('q-b-c-d-|', 'p-b-c-d-|');
    check('h-a-b-|', 'h-a-b-|', { ifRange: '"other"' });
  });
  it('errors if the content lacks all bytes', () => {
    const error = new StreamError('UNSATISFIABLE', 'feed', 'http://feed/bear.rpm has only 6 bytes', { length: 6 });
    check('-h-a', '-#', { first: 6, window: '^!' }, error);
  });
});

describe('cutSeveral', () => {
  const parts = [
    { first: 0, last: 0 },
    { first: 2, last: 3 },
    { first: 5, last: 5 },
  ];
  const several = (isSame: boolean, body: readonly Part[]) =>
    cutSeveral({
      body,
      parts,
      title: (part) => [chunk(`${parts.indexOf(part) + 1}`)],
      headFor: (head) => (isSame ? { ...head, status: 206 } : undefined),
    });
  const check = (source: string, result: string, isSame = true, body: readonly Part[] = [{ first: 0, last: 5 }]) =>
    marbles(({ cold, expectObservable }) => {
      const values = { ...SHOWN, '1': '1', '2': '2', '3': '3' };
      expectObservable(cold(source, VALUES).pipe(under(OPEN, several(isSame, body)), mapShown)).toBe(result, values);
    });

  it('cuts the parts with their titles, whatever the chunks', () => {
    check('h----a----b----c----d----e----f----|', 'p----(1a)------(2c)-d---------(3f)-|');
    check('h----a----b----w-------|', 'p----(1a)------(2w3f)--|');
  });
  it('cuts them from a body of parts', () => {
    const body = [
      { first: 0, last: 0 },
      { first: 2, last: 5 },
    ];
    check('h----a----c----d----e----f----|', 'p----(1a)-(2c)-d---------(3f)-|', true, body);
  });
  it('cuts one out of the middle of a chunk', () =>
    marbles(({ cold, expectObservable }) => {
      const [body, middle] = [[{ first: 1, last: 3 }], { first: 2, last: 2 }];
      const stage = cutSeveral({ body, parts: [middle], title: () => [], headFor: (head) => head });
      const values = { ...VALUES, m: chunk('bcd') };
      expectObservable(cold('h-m-|', values).pipe(under(OPEN, stage), mapShown)).toBe('h-c-|', SHOWN);
    }));
  it('drops what comes after the body', () =>
    check('h----a----b----w----e-|', 'p----(1a)------(2w)---|', true, [{ first: 0, last: 3 }]));
  it('passes the whole if the content is another', () => check('h-a-b-|', 'h-a-b-|', false));
});
