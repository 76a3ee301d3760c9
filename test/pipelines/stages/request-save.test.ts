import { describe, expect, it } from '@jest/globals';
import {
  type Chunk,
  type Head,
  type Note,
  type Policy,
  requestSave,
  type SaveRequest,
} from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  headOf,
  marbles,
  untilEndOf,
} from '../../support/pipeline.ts';

const entry = entryOf('a');
const feed = aCandidate('feed', entry);
const saved = aCandidate('saved', entry);

const check = (
  source: string,
  result: string,
  expected: readonly SaveRequest[],
  { request = aRequest(), candidate = feed, head = {}, policy = {}, soFar, unsubscribed }: Options = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const saves: SaveRequest[] = [];
    const values: Record<string, Head | Chunk | Note> = {
      h: headOf(candidate, head),
      a: chunk('a'),
      r: { type: 'recorded', unitId: entry.unitId },
      f: { type: 'resumed', candidate: feed, from: 1 },
      s: { type: 'resumed', candidate: saved, from: 1 },
    };
    const events = cold(source, values);
    const deps = { outbox: { append: (save: SaveRequest) => saves.push(save) }, policy: aPolicy(policy) };
    const recorded = events.pipe(under(OPEN, requestSave(request, deps, soFar && { head: soFar, sent: 1 })));
    expectObservable(recorded, unsubscribed).toBe(result, values);
    expectSubscriptions(events.subscriptions).toBe(unsubscribed ?? untilEndOf(result));
    flush();
    expect(saves).toEqual(expected);
  });

interface Options {
  readonly request?: ReturnType<typeof aRequest>;
  readonly candidate?: typeof feed;
  readonly head?: Partial<Head>;
  readonly policy?: Partial<Policy>;
  /** The head of the transfer that this one continues. */
  readonly soFar?: Head;
  readonly unsubscribed?: string;
}

describe('requestSave', () => {
  it('appends one save request after a whole body, and emits a note', () =>
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry }]));

  it('passes the trace on', () => {
    for (const tracing of [{ traceparent: 'trace' }, { traceparent: 'trace', tracestate: 'state' }])
      check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry, ...tracing }], { request: aRequest(tracing) });
  });

  it('appends nothing if the body fails or its consumer leaves', () => {
    check('-h-a-#', '-h-a-#', []);
    check('-h-a-|', '-h-a', [], { unsubscribed: '^---!' });
  });

  it('appends nothing for HEAD, for a request without `save`, or for a copy', () => {
    for (const policy of [{}, { savePartial: true, saveAbandoned: true }]) {
      check('-h-|', '-h-|', [], { request: aRequest({ method: 'HEAD' }), policy });
      check('-h-a-|', '-h-a-|', [], { request: aRequest({ save: false }), policy });
      check('-h-a-|', '-h-a-|', [], { candidate: saved, policy });
    }
  });

  it('appends nothing for what changes without notice, unless its checksum says which content it is', () => {
    check('-h-a-|', '-h-a-|', [], { candidate: aCandidate('feed', anEntry({ maxAge: 1 })) });
    const named = entryOf('a', { maxAge: 1 });
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry: named }], { candidate: aCandidate('feed', named) });
  });

  it('appends before completion', () => {
    const log: string[] = [];
    marbles(({ cold, flush }) => {
      const outbox = { append: () => log.push('appended') };
      cold('-h-a-|', { h: headOf(feed), a: chunk('a') })
        .pipe(under(OPEN, requestSave(aRequest(), { outbox, policy: aPolicy() })))
        .subscribe({ next: ({ type }) => log.push(type), complete: () => log.push('complete') });
      flush();
    });
    expect(log).toEqual(['head', 'chunk', 'appended', 'recorded', 'complete']);
  });

  it('appends one after the rest of a body, unless that came from a new copy', () => {
    const soFar = headOf(feed, { length: 2 });
    check('-f-a-|', '-f-a-(r|)', [{ requestId: 'request-1', entry }], { soFar });
    check('-s-a-|', '-s-a-|', [], { soFar });
    check('-f-a-|', '-f-a-|', [], { soFar: headOf(feed, { status: 206, whole: false }) });
  });
});

describe('requestSave, of a part', () => {
  const part = { status: 206, whole: false, first: 3 } as const;
  const unmodified = { status: 304, whole: false } as const;

  it('appends nothing, unless the policy counts parts', () => {
    check('-h-a-|', '-h-a-|', [], { head: part });
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry }], { head: part, policy: { savePartial: true } });
    check('-h-a-#', '-h-a-#', [], { head: part, policy: { savePartial: true } });
    check('-h-a-|', '-h-a', [], { head: part, policy: { savePartial: true }, unsubscribed: '^---!' });
  });

  it('appends one if the part is the whole', () =>
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry }], { head: { status: 206, whole: true } }));

  it('appends nothing for unmodified content, under any policy', () => {
    const policy = { savePartial: true, saveAbandoned: true };
    check('-h-|', '-h-|', [], { head: unmodified, policy });
    check('-h-|', '-h-|', [], { head: { ...unmodified, status: 412 }, policy });
  });
});

describe('requestSave, if the outbox writes later', () => {
  const saving = (source: string, result: string, written: string, windows: string | string[], unsubscribed?: string) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const values: Record<string, Head | Chunk | Note> = {
        h: headOf(feed, {}),
        a: chunk('a'),
        r: { type: 'recorded', unitId: entry.unitId },
      };
      const writing = cold<never>(written);
      const outbox = { append: () => {}, written: writing };
      const events = cold(source, values).pipe(under(OPEN, requestSave(aRequest(), { outbox, policy: aPolicy() })));
      expectObservable(events, unsubscribed).toBe(result, values);
      expectSubscriptions(writing.subscriptions).toBe(windows);
    });

  it('emits its note at once, and completes when the request is written', () =>
    saving('-h-a-|', '-h-a-r--|', '---|', '-----^--!'));

  it('waits for nothing if the body fails, and no longer than its consumer', () => {
    saving('-h-a-#', '-h-a-#', '---|', []);
    saving('-h-a-|', '-h-a-r', '---|', '-----^!', '------!');
  });
});

describe('requestSave, if abandoned transfers count', () => {
  const policy = { saveAbandoned: true };

  it('appends one as soon as the consumer leaves', () =>
    check('-h-a-|', '-h-a', [{ requestId: 'request-1', entry }], { policy, unsubscribed: '^---!' }));

  it('appends nothing before the head, and nothing after a failure', () => {
    check('---h-a-|', '---', [], { policy, unsubscribed: '^-!' });
    check('-h-a-#', '-h-a-#', [], { policy });
  });

  it('appends one request only, at the end', () =>
    check('-h-a-|', '-h-a-(r|)', [{ requestId: 'request-1', entry }], { policy }));

  it('appends one for a part if parts count, too', () => {
    const head = { status: 206, whole: false } as const;
    check('-h-a-|', '-h-a', [], { head, policy, unsubscribed: '^---!' });
    check('-h-a-|', '-h-a', [{ requestId: 'request-1', entry }], {
      head,
      policy: { ...policy, savePartial: true },
      unsubscribed: '^---!',
    });
  });
});
