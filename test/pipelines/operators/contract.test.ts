import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EMPTY, filter, NEVER, Observable, type OperatorFunction, of, Subject, take, takeWhile } from 'rxjs';
import {
  attempts,
  type Chunk,
  clientTimeout,
  closedTimeout,
  createFlow,
  createSharing,
  type Flow,
  type FlowOperator,
  type Head,
  hedge,
  hold,
  keep,
  LOANS,
  lazyFetch,
  limitConcurrency,
  mergeFlow,
  meter,
  type Note,
  operate,
  rateLimit,
  recordHealth,
  report,
  requestSave,
  type SourceEvent,
  type SourceHead,
  StreamError,
  shareFlow,
  speedFloor,
  stallTimeout,
  switchFlow,
  verify,
} from '../../../pipelines/index.ts';
import { firstTimeout } from '../../../pipelines/operators/first-timeout.ts';
import { flow, lift, under } from '../../../pipelines/operators/flow.ts';
import { follow } from '../../../pipelines/operators/follow.ts';
import { fuse } from '../../../pipelines/operators/fuse.ts';
import { given } from '../../../pipelines/operators/operate.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { answerFromCatalog } from '../../../pipelines/stages/answer-from-catalog.ts';
import { attempt } from '../../../pipelines/stages/attempts/attempt.ts';
import { begin } from '../../../pipelines/stages/attempts/begin.ts';
import { enforceLength } from '../../../pipelines/stages/attempts/enforce-length.ts';
import { partAlone } from '../../../pipelines/stages/attempts/part-alone.ts';
import { resume } from '../../../pipelines/stages/attempts/resume.ts';
import { verifyBeforeHead } from '../../../pipelines/stages/attempts/verify-before-head.ts';
import { withLength } from '../../../pipelines/stages/attempts/with-length.ts';
import { cutPart } from '../../../pipelines/stages/cut-part.ts';
import { cutParts } from '../../../pipelines/stages/cut-parts.ts';
import { cutSeveral } from '../../../pipelines/stages/cut-several.ts';
import { earlierRevision } from '../../../pipelines/stages/earlier-revision.ts';
import { folder } from '../../../pipelines/stages/folder.ts';
import { handOver } from '../../../pipelines/stages/hand-over.ts';
import { headFromCatalog } from '../../../pipelines/stages/head-from-catalog.ts';
import { holdSlices } from '../../../pipelines/stages/hold-slices.ts';
import { inTime } from '../../../pipelines/stages/in-time.ts';
import { madeFile } from '../../../pipelines/stages/made-file.ts';
import { multipart } from '../../../pipelines/stages/multipart.ts';
import { share } from '../../../pipelines/stages/share.ts';
import type { Transfer, TransferEvent } from '../../../pipelines/stages/transfer.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  headOf,
  marbles,
  newDigest,
  sourceHead,
  textOf,
} from '../../support/pipeline.ts';

const candidate = aCandidate('feed', entryOf('abc'));
const request = aRequest();
const FOLDERS = { indexNames: ['index.html'], listings: true };
type Event = Head | SourceHead | Chunk | Note;

interface Case {
  readonly name: string;
  readonly operator: () => OperatorFunction<Event, Event>;
  readonly head: Event;
}

const head = { ...sourceHead({ length: 3 }), ...headOf(candidate, { length: 3 }) };
const kase = <T, R>(name: string, operator: () => FlowOperator<T, R>): Case => ({
  name,
  // Each operator takes a part of Event; the inputs below suit all of them.
  operator: (() => under(NEVER, operator())) as unknown as Case['operator'],
  head,
});

/**
 * For stages that ask candidates: opens the one candidate as the row's source, and drops its notes.
 */
const opening = (make: (deps: Deps) => Flow<{ readonly type: string }>): (() => FlowOperator<Event, Event>) => {
  const deps = { newDigest, random: () => 0, policy: aPolicy({ attempts: 1, headTimeout: 100, readTimeout: 100 }) };
  return () => (source) =>
    flow(
      make({ ...deps, open: () => source as Flow<SourceEvent> }),
      lift(filter(({ type }) => ['head', 'chunk'].includes(type))),
    ) as Flow<Event>;
};
type Deps = Omit<Parameters<typeof attempts>[1], 'health' | 'sharing'>;

/** For stages that decorate transfers: the transfer is the row's source. */
const decorating =
  (decorate: (transfer: Transfer) => Transfer): (() => FlowOperator<Event, Event>) =>
  () =>
  (source) => {
    const transfer: Transfer = () => follow((_, valve) => source(valve) as Observable<TransferEvent>);
    return given([candidate.entry], decorate(transfer)(request)) as Flow<Event>;
  };

/**
 * All operators and stages with an event stream. A new one is added here and must pass all rows.
 */
const CASES: readonly Case[] = [
  kase('operate', () => operate<Event, Event>((out) => ({ next: (event) => out.next(event) }))),
  kase('fuse', () =>
    fuse(
      operate<Event, Event>((out) => ({ next: (event) => out.next(event) })),
      operate<Event, Event>((out) => ({ next: (event) => out.next(event) })),
    ),
  ),
  kase('firstTimeout', () => firstTimeout<Event>({ timeoutMs: 100, error: () => 'late' })),
  kase(
    'follow',
    () => (source: Flow<Event>) =>
      given(
        0,
        follow((_, valve) => source(valve)),
      ),
  ),
  kase('stallTimeout', () => stallTimeout<Event>({ timeoutMs: 100, error: () => 'stalled' })),
  kase('speedFloor', () => speedFloor<Event>({ atLeast: 0, window: 100, size: () => 1, error: () => 'slow' })),
  kase('closedTimeout', () => closedTimeout<Event>({ timeoutMs: 100, error: () => 'stuck' })),
  kase(
    'createFlow',
    () => (source: Flow<Event>) =>
      createFlow<Event>((sink) => {
        const subscription = source(NEVER)
          .pipe(takeWhile(() => !sink.closed))
          .subscribe(sink);
        return { pause: () => {}, resume: () => {}, close: () => subscription.unsubscribe() };
      }),
  ),
  kase(
    'hold',
    () => (source: Flow<Event>) => hold<Event>({ limit: 9, overflow: 'error', lending: LOANS })(source(NEVER)),
  ),
  kase(
    'hedge',
    () => (first: Flow<Event>) =>
      hedge({ first, second: () => NEVER, after: 100, wins: ({ type }) => type === 'head', aside: () => head }),
  ),
  kase<Event, Event>('shareFlow', () => {
    const join = shareFlow<Event>({
      size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
      lateJoinWindow: 100,
      window: 100,
      memory: 100,
    });
    return (source) => join({ key: 'k', source: () => source, fallback: () => NEVER, onJoin: head });
  }),
  kase('mergeFlow', () => mergeFlow(1, (event: Event) => () => of(event))),
  kase('switchFlow', () => switchFlow((event: Event) => () => of(event))),
  kase('meter', () => meter<Event>()),
  kase('limitConcurrency', () => lift(limitConcurrency(1)<Event>)),
  kase<Event, Event>('rateLimit', () => {
    const size = (event: Event) => (event.type === 'chunk' ? event.bytes.length : 0);
    const limit = rateLimit<Event>({ perSecond: 1000, size, split: (event) => [event, event] });
    return limit;
  }),
  kase(
    'attempt',
    opening((deps) => attempt(request, candidate, { from: 0 }, deps)),
  ),
  kase('enforceLength', () => enforceLength({ method: 'GET' }, candidate, { policy: aPolicy() })),
  kase('begin', () => begin(request, candidate, {}, aPolicy())),
  kase('resume', () =>
    resume(candidate, { candidate, total: 3, first: 0, whole: true }, { sent: 0, undigested: false }, newDigest),
  ),
  kase('verifyBeforeHead', () =>
    verifyBeforeHead({ method: 'HEAD' }, candidate, { newDigest: newDigest, policy: aPolicy() }),
  ),
  kase(
    'withLength',
    opening((deps) => withLength(request, candidate, deps)(deps.open(candidate, { ...request, from: 0 }) as never)),
  ),
  kase(
    'attempts',
    opening((deps) => given([candidate], attempts(request, deps))),
  ),
  kase('verify', () => verify(request, { newDigest: newDigest })),
  kase('recordHealth', () => recordHealth({})),
  kase('keep', () => keep(request, {})),
  kase('requestSave', () => requestSave(request, { policy: aPolicy() })),
  kase('clientTimeout', () => clientTimeout({ policy: { clientTimeout: 100 } })),
  kase('report', () => report(request, {})),
  kase('earlierRevision', decorating(earlierRevision)),
  kase(
    'answerFromCatalog',
    decorating((transfer) => answerFromCatalog({ policy: aPolicy() }, transfer)),
  ),
  kase(
    'headFromCatalog',
    decorating((transfer) => headFromCatalog({ policy: aPolicy(), sources: [] }, transfer)),
  ),
  kase(
    'multipart',
    decorating((transfer) => multipart({ policy: aPolicy() }, transfer)),
  ),
  kase('handOver', decorating(handOver)),
  kase('madeFile', () => madeFile({ ...request, askedAs: () => 'http://a/' }, { catalog: { made: () => EMPTY } })),
  kase('folder', () => folder(request, { catalog: { lookup: () => EMPTY }, folders: FOLDERS })),
  kase('cutPart', () => cutPart({ first: 0 }, undefined, aPolicy())),
  kase('cutSeveral', () => cutSeveral({ body: [], parts: [], title: () => [], headFor: () => undefined })),
  kase('partAlone', () => partAlone(candidate, { range: { first: 0 } }, aPolicy())),
  kase(
    'cutParts',
    decorating((transfer) => cutParts({ policy: aPolicy() }, transfer)),
  ),
  kase(
    'inTime',
    decorating((transfer) => inTime({ policy: aPolicy() }, transfer)),
  ),
  kase(
    'holdSlices',
    decorating((transfer) => holdSlices({ policy: aPolicy() }, transfer)),
  ),
  kase(
    'share',
    decorating((transfer) => share({ newDigest, sharing: createSharing({ window: 100, memory: 100 }) }, transfer)),
  ),
  kase(
    'lazyFetch',
    opening((deps) =>
      lazyFetch(request, { ...deps, catalog: { lookup: () => of(candidate.entry) }, sources: [() => of(candidate)] }),
    ),
  ),
];

/** Files without an event stream: functions of values, and the two stages that precede a source. */
const OTHERS = [
  'heldChunk',
  'flow',
  'valve',
  'valves',
  'deadline',
  'subscriber',
  // What tests of flows are made of.
  ...['checkFlow', 'laws', 'marbles', 'misbehaving', 'plan'],
  'hysteresis',
  // Streams are asynchronous: see interop.test.ts.
  ...['fromAsyncIterable', 'fromEventTarget', 'fromReadable', 'fromWebStream', 'pipeTo', 'pull'],
  ...['toAsyncIterable', 'toReadable', 'toWebStream', 'index'],
  'atOnce',
  'lending',
  'backOff',
  'clientHead',
  'passingFields',
  'health',
  'lengths',
  'askLength',
  'openHead',
  'nextAttempt',
  'progress',
  'collect',
  'bodyFrom',
  'wanted',
  'judgeHead',
  'decodes',
  'wrongContent',
  'turns',
  'consumer',
  'keptValues',
  'overdue',
  ...['shortLivedMap', 'shortLivedSet'],
  'join',
  'stock',
  'asError',
  'basin',
  'shared',
  'sharing',
  'cut',
  'transfer',
  'boundary',
  'openParts',
  'openUnless',
  'multipartFrame',
  'partGroups',
  'recent',
  'ranges',
  'candidates',
  'lookup',
  'fromCatalog',
  'listing',
  'listingFormats',
];

describe('contract of operators', () => {
  const namesIn = (folder: string) =>
    readdirSync(join(import.meta.dirname, '../../../pipelines', folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => basename(file, '.ts').replace(/-./g, (letter) => letter.slice(1).toUpperCase()));

  it('has a case for each file of operators/ and stages/', () => {
    const named = new Set([...CASES.map(({ name }) => name), ...OTHERS]);
    expect([...namesIn('operators'), ...namesIn('stages')].filter((name) => !named.has(name))).toEqual([]);
  });
});

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

  it('never changes a lent value that it holds, and releases all that it retains', () => {
    const texts: string[] = [];
    const held = new Set<string>();
    marbles(({ cold, flush }) => {
      const lent = operate<Event, Event>((out) => ({
        next: (event) => {
          if (event.type !== 'chunk') return out.next(event);
          const [bytes, name] = [event.bytes.slice(), textOf(event.bytes)];
          let holders = 1;
          held.add(name);
          const release = () => {
            holders -= 1;
            if (holders > 0) return;
            bytes.fill(0);
            held.delete(name);
          };
          const retain = () => {
            holders += 1;
          };
          out.next({ ...event, bytes, loan: { retain, release } });
          release();
        },
      }));
      const source = cold<Event>(' h-(abc)-|', VALUES);
      source.pipe(under(OPEN, lent), operator()).subscribe((event) => {
        if (event.type === 'chunk') texts.push(textOf(event.bytes));
      });
      flush();
    });
    expect(texts.join('')).toBe('abc');
    expect([...held]).toEqual([]);
  });

  it('stops a synchronous source as soon as its consumer leaves', () => {
    let pushed = 0;
    const endless = new Observable<Event>((out) => {
      out.next(head);
      pushed += 1;
      while (!out.closed && pushed < 1000) {
        out.next(VALUES.a);
        pushed += 1;
      }
    });
    endless.pipe(operator(), take(1)).subscribe();
    expect(pushed).toBeLessThan(5);
  });

  it('keeps order and number of values that arrive during a delivery', () => {
    const source = new Subject<Event>();
    const log: string[] = [];
    let begun = false;
    /** Some heads wait for the first byte. */
    const begin = () => {
      if (begun) return;
      begun = true;
      source.next(VALUES.a);
    };
    source.pipe(operator()).subscribe({
      next: (event) => {
        if (event.type !== 'chunk') return begin();
        log.push(textOf(event.bytes));
        if (log.length === 1) source.next(VALUES.b);
        if (log.length === 2) {
          source.next(VALUES.c);
          source.complete();
        }
      },
      complete: () => log.push('|'),
      error: (error) => log.push(`${error}`),
    });
    source.next(head);
    begin();
    expect(log).toEqual(['a', 'b', 'c', '|']);
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
  it('turns an exception in a handler into the result’s error and leaves the source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a-b-c');
      const throwing = operate<string, string>((out) => ({
        next: (value) => {
          if (value === 'b') throw new Error('no b');
          out.next(value);
        },
      }));
      expectObservable(source.pipe(under(OPEN, throwing))).toBe('a-#', undefined, new Error('no b'));
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }));

  it('turns an exception at its start into the result’s error, and leaves the source alone', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a-b-c');
      const throwing = operate<string, string>(() => {
        throw new Error('no start');
      });
      expectObservable(source.pipe(under(OPEN, throwing))).toBe('#', undefined, new Error('no start'));
      expectSubscriptions(source.subscriptions).toBe([]);
    }));

  it('turns an exception in an error handler into the result’s error', () =>
    marbles(({ cold, expectObservable }) => {
      const throwing = operate<string, string>((out) => ({
        next: (value) => out.next(value),
        error: () => {
          throw new Error('no error');
        },
      }));
      expectObservable(cold('a-#').pipe(under(OPEN, throwing))).toBe('a-#', undefined, new Error('no error'));
    }));

  it('leaves a source that has ended, also if the result has not', () => {
    const log: string[] = [];
    const holding = operate<string, string>(() => ({
      next: () => {},
      error: () => log.push('error'),
      complete: () => log.push('complete'),
    }));
    for (const end of ['error', 'complete'] as const) {
      const source = new Observable<string>((out) => {
        out.add(() => log.push('left'));
        out[end]();
      });
      source.pipe(under(OPEN, holding)).subscribe();
    }
    expect(log).toEqual(['error', 'left', 'complete', 'left']);
  });

  it('turns an exception in an end handler into the result’s error', () =>
    marbles(({ cold, expectObservable }) => {
      const throwing = operate<string, string>((out) => ({
        next: (value) => out.next(value),
        complete: () => {
          throw new Error('no end');
        },
      }));
      expectObservable(cold('a-|').pipe(under(OPEN, throwing))).toBe('a-#', undefined, new Error('no end'));
    }));
});
