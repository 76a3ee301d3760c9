import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, concat, EMPTY, NEVER, Observable, of, Subject, type Subscriber, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import {
  attempts,
  type Chunk,
  candidates,
  clientTimeout,
  closedTimeout,
  createSharing,
  type Digest,
  type FlowOperator,
  fuse,
  type Head,
  keep,
  meter,
  type Note,
  operate,
  recordHealth,
  report,
  requestSave,
  type SourceEvent,
  type SourceId,
  type Stage,
  StreamError,
  speedFloor,
  stallTimeout,
  switchFlow,
  verify,
} from '../../../pipelines/index.ts';

import { firstTimeout } from '../../../pipelines/operators/first-timeout.ts';
import { follow } from '../../../pipelines/operators/follow.ts';
import { given } from '../../../pipelines/operators/operate.ts';
import { Gate } from '../../../pipelines/operators/valve.ts';
import { answerFromCatalog } from '../../../pipelines/stages/answer-from-catalog.ts';
import { begin } from '../../../pipelines/stages/attempts/begin.ts';
import { enforceLength } from '../../../pipelines/stages/attempts/enforce-length.ts';
import { headAlone } from '../../../pipelines/stages/attempts/open-head.ts';
import { partAlone } from '../../../pipelines/stages/attempts/part-alone.ts';
import { resume } from '../../../pipelines/stages/attempts/resume.ts';
import { verifyBeforeHead } from '../../../pipelines/stages/attempts/verify-before-head.ts';
import { cutPart } from '../../../pipelines/stages/cut-part.ts';
import { cutSeveral } from '../../../pipelines/stages/cut-several.ts';
import { earlierRevision } from '../../../pipelines/stages/earlier-revision.ts';
import { folder } from '../../../pipelines/stages/folder.ts';
import { headFromCatalog } from '../../../pipelines/stages/head-from-catalog.ts';
import { findEntries } from '../../../pipelines/stages/lookup.ts';
import { share } from '../../../pipelines/stages/share.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  headOf,
  newDigest,
  sourceHead,
  unpaused,
} from '../../support/pipeline.ts';

type Event = Head | Chunk | Note;
type Any = Stage<Event, Event>;
/** What a stage may use; each side of the law has its own. */
interface World {
  readonly scheduler: TestScheduler;
  readonly valve: BehaviorSubject<boolean>;
  readonly log: unknown[];
}

const candidate = aCandidate('feed', entryOf('abc', { size: 3 }));
const policy = aPolicy({ verifyWholeBelow: 10, clientTimeout: 20 });

/** Logs subscription and teardown. */
const logged = <T>(log: unknown[], name: string, source: Observable<T>): Observable<T> =>
  new Observable((out) => {
    log.push(`${name} opened`);
    out.add(() => log.push(`${name} closed`));
    return source.subscribe(out);
  });

/** Stages of the house, each with its effects in the log. */
const STAGES: Readonly<Record<string, (world: World) => unknown>> = {
  verify: () => verify(aRequest(), { newDigest }),
  verifyRest: () => verify(aRequest(), { newDigest }, { head: headOf(candidate, { length: 3 }), sent: 0 }),
  // Throws while it starts: the earlier bytes have no digest.
  verifyLost: () => verify(aRequest(), { newDigest }, { head: headOf(candidate, { length: 3 }), sent: 1 }),
  recordHealth: ({ scheduler, log }) =>
    recordHealth({
      scheduler,
      health: {
        observe: ({ type }: Note) => log.push(type),
        answered: ({ kind }: SourceId, time: number) => log.push(['answered', kind, time]),
        began: ({ type }: Head) => log.push(['began', type]),
        succeeded: ({ kind }: SourceId) => log.push(['succeeded', kind]),
      } as never,
    }),
  keep: ({ log }) =>
    keep(aRequest(), {
      keep: () => ({
        write: ({ length }: Uint8Array) => log.push(['write', length]),
        commit: () => log.push('commit'),
        abort: () => log.push('abort'),
      }),
    }),
  requestSave: ({ log }) =>
    requestSave(aRequest(), {
      policy: { savePartial: false, saveAbandoned: true },
      outbox: { append: ({ requestId }) => log.push(['append', requestId]) },
    }),
  lookup: ({ log }) => {
    const lookup = () => logged(log, 'look-up', of(candidate.entry));
    return fuse(insteadOf(aRequest()), findEntries({ catalog: { lookup } }));
  },
  closedTimeout: ({ scheduler }) => closedTimeout({ timeoutMs: 9, error: () => new Error('stuck'), scheduler }),
  clientTimeout: ({ scheduler }) => clientTimeout({ policy, scheduler }),
  report: ({ scheduler, log }) =>
    report(aRequest(), { scheduler, report: ({ outcome, bytes }) => log.push([outcome, bytes]) }),
  stallTimeout: ({ scheduler }) => stallTimeout({ timeoutMs: 8, error: () => new Error('stalled'), scheduler }),
  speedFloor: ({ scheduler }) =>
    speedFloor({ atLeast: 1, window: 6, size: () => 1, error: () => new Error('slow'), scheduler }),
  switchFlow: ({ log }) => switchFlow((event: Event) => () => logged(log, 'switched', of(event))),
  meter: ({ scheduler }) => meter({ scheduler }),
  firstTimeout: ({ scheduler }) => firstTimeout({ timeoutMs: 5, error: () => new Error('late'), scheduler }),
  candidates: ({ log }) => {
    const broken = () => throwError(() => new StreamError('SOURCE_BROKEN', 'disk', 'broken'));
    const sources = [broken, () => logged(log, 'sources', of(candidate)), () => EMPTY];
    return fuse(insteadOf([candidate.entry]), candidates({ sources }));
  },
  earlierRevision: () =>
    fuse(insteadOf([{ ...candidate.entry, asOf: 'yesterday' }]), earlierRevision(() => transferring)(aRequest())),
  answerFromCatalog: () => {
    const request = aRequest({ conditions: { ifNoneMatch: ['"x"'] } });
    return fuse(insteadOf([candidate.entry]), answerFromCatalog({ policy }, () => transferring)(request));
  },
  headFromCatalog: () =>
    fuse(insteadOf([candidate.entry]), headFromCatalog({ policy, sources: [] }, () => transferring)(aRequest())),
  folder: ({ log }) => {
    const unknown = operate<Event, Event>(() => ({
      next: () => {
        throw new StreamError('NOT_IN_CATALOG', 'catalog', 'unknown');
      },
    }));
    const children = () => logged(log, 'children', of({ name: 'a', isFolder: false }));
    const folders = { indexNames: [], listings: true };
    const request = aRequest({ path: '/zoo/' });
    return fuse(unknown, folder(request, { catalog: { lookup: () => EMPTY, children }, folders }));
  },
  share: () => {
    const sharing = createSharing({ window: 100, memory: 100 });
    return fuse(insteadOf([candidate.entry]), share({ newDigest, sharing }, () => transferring)(aRequest()));
  },
  follow: ({ log }) =>
    fuse(
      insteadOf(1),
      follow(() => logged(log, 'followed', of(EVENTS.head as Event, EVENTS.a as Event))),
    ),
  attempts: ({ scheduler, log }) => {
    const answers = [
      concat(
        of(EVENTS.head, EVENTS.a),
        throwError(() => new Error('cut')),
      ),
      of(EVENTS.head, EVENTS.abc),
    ];
    const open = () => logged(log, 'source', (answers.shift() ?? NEVER) as Observable<SourceEvent>);
    return fuse(
      insteadOf([candidate]),
      attempts(aRequest(), { open: unpaused(open), newDigest, policy, random: () => 0, scheduler }),
    );
  },
  enforceLength: () => enforceLength({ method: 'GET' }, candidate, { policy: aPolicy() }),
  headAlone: () => headAlone(),
  begin: () => begin(aRequest(), candidate, {}, policy),
  resume: () =>
    resume(candidate, { candidate, first: 0, total: 3, whole: true }, { sent: 1, undigested: false }, newDigest),
  resumeUndigested: () =>
    resume(candidate, { candidate, first: 0, total: 3, whole: true }, { sent: 1, undigested: true }, newDigest),
  partAlone: () => partAlone(candidate, { range: { first: 1 } }, policy),
  cutPart: () => cutPart({ first: 1 }, undefined, policy),
  cutSeveral: () =>
    cutSeveral({
      ...{ body: [{ first: 0, last: 2 }], parts: [{ first: 0, last: 1 }], title: () => [chunk('title')] },
      headFor: (head) => (head.length === undefined ? undefined : head),
    }),
  verifyBeforeHead: ({ scheduler }) => verifyBeforeHead(aRequest(), candidate, { newDigest, policy, scheduler }),
};

/** The first event becomes the given value, as for stages behind a look-up. */
const insteadOf = <T>(value: T) =>
  operate<Event, T>((out) => {
    let given = false;
    return {
      next: () => {
        if (!given) out.next(value);
        given = true;
      },
    };
  });

const transferring = follow(() => of(EVENTS.head as Event, EVENTS.a as Event));

/** Stages that behave badly, so that every path of `fuse` is taken. */
const bad = (name: string, start: (out: Subscriber<Event>, log: unknown[]) => Partial<ReturnType<Start>>) => ({
  [name]: ({ log }: World) =>
    operate<Event, Event>((out) => {
      out.add(() => log.push(`${name} left`));
      return { next: (event) => out.next(event), ...start(out, log) };
    }),
});
type Start = Parameters<typeof operate<Event, Event>>[0];
const ALL: Readonly<Record<string, (world: World) => unknown>> = {
  ...STAGES,
  ...bad('throwsAtStart', () => {
    throw new Error('at start');
  }),
  ...bad('endsAtStart', (out) => {
    out.next(chunk('s'));
    out.complete();
    return {};
  }),
  ...bad('throwsAtChunk', (out) => ({
    next: (event) => {
      if (event.type === 'chunk') throw new Error('at chunk');
      out.next(event);
    },
  })),
  ...bad('throwsAtError', () => ({
    error: () => {
      throw new Error('at error');
    },
  })),
  ...bad('throwsAtComplete', () => ({
    complete: () => {
      throw new Error('at complete');
    },
  })),
  ...bad('takesOne', (out) => ({
    next: (event) => {
      out.next(event);
      out.complete();
      out.next(event);
    },
  })),
  ...bad('heals', (out) => ({
    error: () => {
      out.next(chunk('h'));
      out.complete();
    },
  })),
  ...bad('swallowsTheEnd', () => ({ complete: () => {} })),
  ...bad('doubles', (out) => ({
    next: (event) => {
      out.next(event);
      out.next(event);
    },
  })),
  ...bad('addsLate', (out, log) => ({
    next: (event) => {
      out.add(() => log.push('late'));
      out.next(event);
    },
  })),
};

const EVENTS: Readonly<Record<string, Event>> = {
  head: { ...sourceHead({ length: 3 }), ...headOf(candidate, { length: 3 }) },
  unmeasured: { ...sourceHead(), ...headOf(candidate) },
  abc: chunk('abc'),
  a: chunk('a'),
  bc: chunk('bc'),
  empty: chunk(''),
  attempt: { type: 'attempt', candidate, from: 0 },
  resumed: { type: 'resumed', candidate, from: 0 },
  failed: { type: 'failed', candidate, error: new StreamError('STALLED', 'feed', 'x'), phase: 'mid-body', sent: 0 },
};

type Step =
  | { readonly do: 'emit'; readonly what: string }
  | { readonly do: 'wait'; readonly frames: number }
  | { readonly do: 'valve'; readonly open: boolean }
  | { readonly do: 'error' | 'complete' | 'leave' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('emit' as const), what: fc.constantFrom(...Object.keys(EVENTS)) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), frames: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('valve' as const), open: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('error' as const, 'complete' as const, 'leave' as const) }) },
);

interface Plan {
  /** Whether the valve is a `Gate`. */
  readonly gate: boolean;
  readonly names: readonly string[];
  /** Happen while the source is subscribed to, and afterwards. */
  readonly atOnce: readonly Step[];
  readonly later: readonly Step[];
  /** Happen while the consumer has its nth value. */
  readonly reentrant: { readonly at: number; readonly step: Step };
}

const plans: fc.Arbitrary<Plan> = fc.record({
  gate: fc.boolean(),
  names: fc.array(fc.constantFrom(...Object.keys(ALL)), { minLength: 2, maxLength: 4 }),
  atOnce: fc.oneof(fc.constant([]), fc.array(step, { maxLength: 8 })),
  later: fc.array(step, { maxLength: 12 }),
  reentrant: fc.record({ at: fc.integer({ min: 0, max: 6 }), step }),
});

/** All that can be seen of a plan: values, ends, effects and teardown, in their order. */
const seen = (plan: Plan, join: (stages: readonly Any[]) => FlowOperator<Event, unknown>): readonly unknown[] => {
  const log: unknown[] = [];
  const scheduler = new TestScheduler(() => {});
  const valve = plan.gate ? new Gate(true) : new BehaviorSubject(true);
  const source = new Subject<Event>();
  const world = { scheduler, valve, log };
  let received = 0;
  let leave = () => {};
  const act = (step: Step, into: Pick<Subject<Event>, 'next' | 'error' | 'complete'>) => {
    if (step.do === 'emit') into.next(EVENTS[step.what] as Event);
    else if (step.do === 'wait') advance(scheduler, step.frames);
    else if (step.do === 'valve') valve.next(step.open);
    else if (step.do === 'error') into.error(new Error('source'));
    else if (step.do === 'complete') into.complete();
    else leave();
  };
  const events = new Observable<Event>((out) => {
    log.push('subscribed');
    out.add(() => log.push('unsubscribed'));
    for (const step of plan.atOnce) act(step, out);
    out.add(source.subscribe(out));
  });
  const stages = plan.names.map((name) => (ALL[name] as (world: World) => Any)(world));
  const result = new Observable((out) => {
    leave = () => out.unsubscribe();
    out.add(() => log.push('result left'));
    return join(stages)(() => events)(valve).subscribe(out);
  });
  result.subscribe({
    next: (value) => {
      // Digests are compared by their value.
      const { digest, ...others } = Object(value) as { readonly digest?: Digest };
      log.push(digest ? [others, digest.copy().hex()] : value);
      if (received++ === plan.reentrant.at) act(plan.reentrant.step, source);
    },
    error: (error) => log.push(['error', `${error}`]),
    complete: () => log.push('complete'),
  });
  for (const step of plan.later) act(step, source);
  advance(scheduler, 100);
  leave();
  log.push(valve.observed);
  return log;
};

/** Runs the scheduler for some frames, also within one of its actions. */
const advance = (scheduler: TestScheduler, frames: number) => {
  const until = scheduler.frame + frames;
  scheduler.schedule(() => {}, frames);
  const due = () => scheduler.actions.filter((action) => action.delay <= until).length > 0;
  while (due()) {
    const action = scheduler.actions.shift();
    if (!action) break;
    scheduler.frame = action.delay;
    action.execute(action.state, action.delay);
  }
  scheduler.frame = until;
};

const piped =
  (stages: readonly Any[]): FlowOperator<Event, Event> =>
  (source) =>
    stages.reduce((made, stage) => stage(made), source);
const fused = fuse as unknown as (...stages: readonly Any[]) => Any;

describe('fuse', () => {
  it('behaves as a pipe of the same stages, in any history', () =>
    fc.assert(
      fc.property(plans, (plan) => {
        expect(seen(plan, (stages) => fused(...stages))).toEqual(seen(plan, piped));
      }),
      { numRuns: 1000 },
    ));

  it('is associative, and a fusion of nothing changes nothing', () =>
    fc.assert(
      fc.property(plans, fc.nat(4), (plan, at) => {
        const nested = (stages: readonly Any[]) =>
          fused(fused(...stages.slice(0, at)), fused(), fused(...stages.slice(at)));
        expect(seen(plan, nested)).toEqual(seen(plan, (stages) => fused(...stages)));
      }),
      { numRuns: 300 },
    ));

  it('has histories of every stage that is made of handlers', () => {
    const pipelines = join(import.meta.dirname, '../../../pipelines');
    const made = readdirSync(pipelines, { recursive: true, encoding: 'utf8' })
      .filter((file) => /(stages|operators)\/.*\.ts$/.test(file) && basename(file) !== 'operate.ts')
      .filter((file) => /\): Stage<[^=]*=>\n? *operate\(/.test(readFileSync(join(pipelines, file), 'utf8')))
      .map((file) => basename(file, '.ts').replace(/-./g, (letter) => letter.slice(1).toUpperCase()));
    expect(made).not.toEqual([]);
    expect(made.filter((name) => !(name in STAGES))).toEqual([]);
  });
});

describe('given', () => {
  it('behaves as a pipe from the only value', () =>
    fc.assert(
      fc.property(plans, fc.constantFrom(...Object.values(EVENTS)), (plan, event) => {
        const only = {
          ...plan,
          atOnce: [],
          later: plan.later.filter((step) => ['wait', 'valve', 'leave'].includes(step.do)),
        };
        const first = (stages: readonly Any[]) => () => given(event, fused(...stages));
        const piping = (stages: readonly Any[]) => () => piped(stages)(() => of(event));
        expect(seen(only, first)).toEqual(seen(only, piping));
      }),
      { numRuns: 300 },
    ));
});
