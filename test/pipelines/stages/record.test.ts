import { describe, expect, it } from '@jest/globals';
import { type Chunk, type Head, type Note, type Policy, record, type SaveRequest } from '../../../pipelines/index.ts';
import { aCandidate, aPolicy, aRequest, chunk, entryOf, headOf, marbles, untilEndOf } from '../../support/river.ts';

const entry = entryOf('a');
const feed = aCandidate('feed', entry);
const saved = aCandidate('saved', entry, { kept: true });

const check = (
  source: string,
  result: string,
  expected: readonly SaveRequest[],
  { request = aRequest(), candidate = feed, unsubscribed, policy, head }: Options = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const saves: SaveRequest[] = [];
    const values: Record<string, Head | Chunk | Note> = {
      h: headOf(candidate, head),
      a: chunk('a'),
      r: { type: 'note', note: 'recorded', unitId: entry.unitId },
    };
    const events = cold(source, values);
    const recorded = events.pipe(
      record(request, { outbox: { append: (save) => saves.push(save) }, policy: aPolicy(policy) }),
    );
    expectObservable(recorded, unsubscribed).toBe(result, values);
    expectSubscriptions(events.subscriptions).toBe(unsubscribed ?? untilEndOf(result));
    flush();
    expect(saves).toEqual(expected);
  });

interface Options {
  readonly request?: ReturnType<typeof aRequest>;
  readonly candidate?: typeof feed;
  readonly unsubscribed?: string;
  readonly policy?: Partial<Policy>;
  readonly head?: Partial<Head>;
}

describe('record', () => {
  it('leaves one note after a whole body, and says so', () =>
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry }]));

  it('hands the trace on', () =>
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry, traceparent: 'trace' }], {
      request: aRequest({ traceparent: 'trace' }),
    }));

  it('leaves none where the body failed, or its consumer left', () => {
    check('-h-a-#', '-h-a-#', []);
    check('-h-a-|', '-h-a', [], { unsubscribed: '^---!' });
  });

  it('leaves one after a part only where the policy says so, none after 304 and 412 at all', () => {
    const policy = { savePartial: true };
    const wish = [{ requestId: 'request-1', entry }];
    check('-h-a-|', '-h-a-|', [], { head: { status: 206, whole: false } });
    check('-h-a-|', '-h-a-(r|)', wish, { head: { status: 206, whole: false }, policy });
    check('-h-a-|', '-h-a-(r|)', wish, { head: { status: 206, whole: true } });
    for (const status of [304, 412] as const) check('-h-|', '-h-|', [], { head: { status, whole: false }, policy });
  });

  it('leaves one for a consumer who left only where the policy says so, none where the body failed at all', () => {
    const policy = { saveAbandoned: true };
    check('-h-a-|', '-h-a', [{ requestId: 'request-1', entry }], { unsubscribed: '^---!', policy });
    check('---h-|', '-', [], { unsubscribed: '^!', policy });
    check('-h-a-#', '-h-a-#', [], { policy });
    check('-h-a-|', '-h-a', [], { unsubscribed: '^---!', policy, candidate: saved });
  });

  it('leaves none for HEAD, none where the request says so, and none for what was saved already', () => {
    check('-h-|', '-h-|', [], { request: aRequest({ method: 'HEAD' }) });
    check('-h-a-|', '-h-a-|', [], { request: aRequest({ record: false }) });
    check('-h-a-|', '-h-a-|', [], { candidate: saved });
  });
});
