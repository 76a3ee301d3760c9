import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNote, resolveRange } from '../../pipelines/index.ts';
import { diagram } from '../support/diagram.ts';
import { textOf } from '../support/pipeline.ts';
import { type Fate, type History, live, liveTogether, type Plan } from '../support/world.ts';

const CONTENT = 'The quick brown fox jumps over the lazy dog, twice a day.';
const at = fc.integer({ min: 0, max: CONTENT.length - 1 });

const good = fc.constant<Fate>({ kind: 'good' });
const bad = fc.oneof(
  fc.constantFrom<Fate>(
    ...(['refuses', 'has-no-head', 'wrong-length', 'throws', 'runs-on', 'ignores-range', 'changed'] as const).map(
      (kind) => ({ kind }),
    ),
  ),
  fc.record({ kind: fc.constantFrom('dies' as const, 'stalls' as const, 'ends-short' as const), at }),
  fc.record({ kind: fc.constant('checks' as const), at }),
);
const WRONG_LENGTHS: readonly string[] = ['ends-short', 'runs-on', 'wrong-length'];
const wrongContent = fc.record({ kind: fc.constant('wrong-content' as const), at });

const planOf = (fates: fc.Arbitrary<Fate>): fc.Arbitrary<Plan> =>
  fc.record({
    content: fc.constantFrom(CONTENT, 'x', CONTENT.repeat(7)),
    checksum: fc.boolean(),
    sizeKnown: fc.boolean(),
    lengthAnnounced: fc.boolean(),
    sources: fc.array(fc.array(fates, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
    chunkSizes: fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 4 }),
    gaps: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 }),
    valve: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 12 }),
    leavesAt: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined, freq: 4 }),
    hedgeAfter: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    policy: fc.record({ verifyWholeBelow: fc.constantFrom(0, 30, 1000) }),
  });

const bodyOf = ({ events }: History) =>
  events.map(([, event]) => (event.type === 'chunk' ? textOf(event.bytes) : '')).join('');

/** The invariants of every history, for any sources, valve and consumer. */
const invariants = (plan: Plan, history: History): void => {
  const { events, ending, reports } = history;
  const types = events.flatMap(([, event]) => (isNote(event) ? [] : [event.type]));
  const body = bodyOf(history);
  const [promised] = events.flatMap(([, event]) => (event.type === 'head' ? [event.length] : []));
  expect(types.filter((type) => type === 'head').length).toBeLessThanOrEqual(1);
  expect(types.lastIndexOf('head')).toBeLessThanOrEqual(0);
  expect(types.filter((type) => type === 'end')).toHaveLength(ending.kind === 'complete' ? 1 : 0);
  if (ending.kind === 'complete') {
    expect(types.at(-1)).toBe('end');
    expect(types[0]).toBe('head');
    // A response that completes is whole, and correct if its content can be checked.
    if (plan.checksum && !plan.range) expect(body).toBe(plan.content);
    else expect(promised ?? body.length).toBe(body.length);
  } else if (plan.checksum && !plan.range && promised === body.length && body.length > 0) {
    // A client that has received every promised byte takes the body for complete, regardless of
    // later errors.
    expect(body).toBe(plan.content);
  }
  expect(reports).toHaveLength(1);
  expect(reports[0]?.outcome).toBe({ complete: 'complete', error: 'failed', left: 'left' }[ending.kind]);
  expect(reports[0]?.bytes).toBe(body.length);
  expect(history.leaks).toBe(0);
  // While the valve is closed, only held bytes may come: the chunk held for its digest, or bytes
  // that waited to be checked or measured.
  const waits = plan.content.length <= (plan.policy.verifyWholeBelow ?? 0) || !(plan.sizeKnown || plan.lengthAnnounced);
  if (!waits) expect(history.chunksWhileClosed).toBeLessThanOrEqual(1);
};

const holds = (plan: Plan, more: (history: History) => void = () => {}, history = live(plan)): void => {
  try {
    invariants(plan, history);
    more(history);
  } catch (failure) {
    throw new Error(`${diagram(history)}\n${failure instanceof Error ? failure.message : failure}`, { cause: failure });
  }
};

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 1000) };

it('a failing history is shown as a marble diagram', () => {
  const history = live({
    content: 'bear',
    checksum: true,
    sizeKnown: true,
    lengthAnnounced: true,
    sources: [[{ kind: 'dies', at: 2 }], [{ kind: 'good' }]],
    chunkSizes: [1],
    gaps: [5],
    valve: [12, 20],
    leavesAt: undefined,
    hedgeAfter: undefined,
    policy: { attemptsPerCandidate: 1 },
  });
  expect(`\n${diagram(history)}`).toBe(`
frame   0     5  10     12  32  35  40    45  50  55  60
valve   o---------------x---o
s0@0    ^-----h--1b-------------1b--#
s1@2                                ^-----h---1b--1b--|
result  (nn)-----(H1b)----------1b--(nn)--n---1b------(1bE|)`);
});

describe('lazyFetch, in arbitrary histories', () => {
  it('completes only with a complete, correct body, leaks no subscription, reports once', () => {
    fc.assert(
      fc.property(planOf(fc.oneof(good, bad, wrongContent)), (plan) => holds(plan)),
      runs,
    );
  });

  it('completes every transfer while one source is good, if a checksum proves the others the same', () => {
    const plan = fc.tuple(planOf(bad), fc.nat()).map(([some, place]) => ({
      ...some,
      checksum: true,
      // Without a size in the catalog, a wrong length is detected only after it was promised to the
      // client.
      sizeKnown: some.sizeKnown || some.sources.flat().some(({ kind }) => WRONG_LENGTHS.includes(kind)),
      leavesAt: undefined,
      sources: some.sources.slice(0, 3).toSpliced(place % 4, 0, [{ kind: 'good' } as const]),
      policy: { ...some.policy, attempts: 100 },
    }));
    fc.assert(
      fc.property(plan, (plan) =>
        holds(plan, ({ ending }) => {
          expect(ending.kind).toBe('complete');
        }),
      ),
      runs,
    );
  });

  it('completes every transfer while one source is good, if the others fail before their first byte', () => {
    const kinds = ['dies', 'stalls', 'checks'] as const;
    const early = fc.oneof(
      fc.constantFrom<Fate>({ kind: 'refuses' }, { kind: 'has-no-head' }, { kind: 'throws' }),
      fc.record({ kind: fc.constantFrom(...kinds), at: fc.constant(0) }),
    );
    const plan = fc.tuple(planOf(early), fc.nat()).map(([some, place]) => ({
      ...some,
      checksum: false,
      leavesAt: undefined,
      sources: some.sources.slice(0, 3).toSpliced(place % 4, 0, [{ kind: 'good' } as const]),
      policy: { ...some.policy, attempts: 100 },
    }));
    fc.assert(
      fc.property(plan, (plan) =>
        holds(plan, (history) => {
          expect(history.ending.kind).toBe('complete');
          expect(bodyOf(history)).toBe(plan.content);
        }),
      ),
      runs,
    );
  });

  it('verifies what follows bytes that their source checked, wherever it broke off', () => {
    const checks = fc.record({ kind: fc.constant('checks' as const), at });
    const plan = fc.tuple(planOf(good), checks, wrongContent, bad).map(([some, copy, wrong, other]) => ({
      ...some,
      checksum: true,
      leavesAt: undefined,
      hedgeAfter: undefined,
      copy,
      sources: [[copy], [wrong], [other]],
      policy: { verifyWholeBelow: 0 },
    }));
    fc.assert(
      fc.property(plan, (plan) =>
        holds(plan, ({ events }) => {
          const [head] = events.flatMap(([, event]) => (event.type === 'head' ? [event] : []));
          // The copy is first, and nothing of the others is needed if it is right.
          if (plan.copy.at > 0) expect(head?.candidate.source).toEqual({ kind: 's0', id: '' });
          expect(events.some(([, { type }]) => type === 'failed')).toBe(plan.copy.at < plan.content.length);
        }),
      ),
      runs,
    );
  });

  it('completes only with the requested part', () => {
    const range = fc.oneof(
      fc.record({ first: fc.integer({ min: -60, max: 60 }) }),
      fc.tuple(fc.nat(60), fc.nat(60)).map(([first, more]) => ({ first, last: first + more })),
    );
    const plan = fc
      .tuple(planOf(fc.oneof(good, bad)), range)
      .map(([some, range]) => ({ ...some, range, hedgeAfter: undefined }));
    fc.assert(
      fc.property(plan, (plan) =>
        holds(plan, (history) => {
          if (history.ending.kind !== 'complete') return;
          const part = resolveRange(plan.range, plan.content.length);
          const [head] = history.events.flatMap(([, event]) => (event.type === 'head' ? [event] : []));
          const isLengthKnown = plan.lengthAnnounced || plan.sizeKnown;
          if (head?.status === 200) expect(isLengthKnown).toBe(false);
          // Extra bytes are detected only by a length or a checksum.
          else if (isLengthKnown || plan.checksum)
            expect(bodyOf(history)).toBe(plan.content.slice(part?.first, (part?.last ?? 0) + 1));
        }),
      ),
      runs,
    );
  });

  it('drops a source whose wrong content was found before the head', () => {
    fc.assert(
      fc.property(planOf(wrongContent), (some) => {
        const plan = {
          ...some,
          checksum: true,
          lengthAnnounced: true,
          leavesAt: undefined,
          hedgeAfter: undefined,
          policy: { verifyWholeBelow: 1000, verifyWholeWithin: Number.POSITIVE_INFINITY },
        };
        const withGood = {
          ...plan,
          sources: [
            ...plan.sources.map((fates) => fates.filter(({ kind }) => kind === 'wrong-content')),
            [{ kind: 'good' as const }],
          ],
        };
        const first = withGood.sources[0]?.[0];
        const isWrong = first?.kind === 'wrong-content' && first.at < plan.content.length;
        holds(withGood, ({ ending, events }) => {
          expect(ending.kind).toBe('complete');
          expect(events.some(([, event]) => event.type === 'failed')).toBe(isWrong);
        });
      }),
      runs,
    );
  });

  it('keeps every promise to each client of a shared transfer, whenever it joins, waits, falls behind and leaves', () => {
    const ways = fc.array(
      fc.record({
        comesAt: fc.nat(200),
        valve: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 12 }),
        leavesAt: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined, freq: 4 }),
      }),
      { minLength: 2, maxLength: 5 },
    );
    const sharing = fc.record({ window: fc.integer({ min: 1, max: 200 }), memory: fc.integer({ min: 1, max: 400 }) });
    const plan = fc.tuple(planOf(fc.oneof(good, bad, wrongContent)), ways, sharing);
    fc.assert(
      fc.property(plan, ([some, mayFallBehind, sharing]) => {
        const plan = { ...some, hedgeAfter: undefined };
        for (const history of liveTogether(plan, mayFallBehind, sharing)) holds(plan, () => {}, history);
      }),
      runs,
    );
  });

  it('completes the transfer of each client that shares it, while one source is good', () => {
    const ways = fc.array(
      fc.record({ comesAt: fc.nat(200), valve: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 12 }) }),
      { minLength: 2, maxLength: 5 },
    );
    const sharing = fc.record({ window: fc.integer({ min: 1, max: 200 }), memory: fc.integer({ min: 1, max: 400 }) });
    const plan = fc.tuple(planOf(bad), fc.nat(), ways, sharing);
    fc.assert(
      fc.property(plan, ([some, place, mayFallBehind, sharing]) => {
        const plan = {
          ...some,
          checksum: true,
          sizeKnown: some.sizeKnown || some.sources.flat().some(({ kind }) => WRONG_LENGTHS.includes(kind)),
          sources: some.sources.slice(0, 3).toSpliced(place % 4, 0, [{ kind: 'good' } as const]),
          policy: { ...some.policy, attempts: 100 },
          hedgeAfter: undefined,
        };
        const present = mayFallBehind.map((way) => ({ ...way, leavesAt: undefined }));
        for (const history of liveTogether(plan, present, sharing))
          holds(plan, ({ ending }) => expect(ending.kind).toBe('complete'), history);
      }),
      runs,
    );
  });
});
