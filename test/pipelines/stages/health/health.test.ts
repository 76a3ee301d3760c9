import { describe, expect, it } from '@jest/globals';
import { VirtualTimeScheduler } from 'rxjs';
import { createHealth, type ErrorCode, type Note, StreamError, sourceName } from '../../../../pipelines/index.ts';
import { aCandidate, aSource, entryOf } from '../../../support/pipeline.ts';

const entry = entryOf('abc');
const [a, b, c] = [aCandidate('a', entry), aCandidate('b', entry), aCandidate('c', entry)];
const attempt = (candidate: typeof a): Note => ({ type: 'attempt', candidate, from: 0 });
const failure = (candidate: typeof a, code: ErrorCode = 'STALLED', retryAfter?: number): Note => ({
  type: 'failed',
  candidate,
  error: new StreamError(code, 'feed', 'why', { retryAfter }),
  phase: 'mid-body',
  sent: 0,
});

const withClock = (random = 1) => {
  const time = new VirtualTimeScheduler();
  const health = createHealth({ cooldown: 100, cooldownLimit: 1000, random: () => random, scheduler: time });
  const names = () => health.order([a, b, c]).map(({ source }) => sourceName(source));
  const at = (frame: number, act: () => void) => time.schedule(act, frame);
  return { time, health, names, at };
};

describe('health', () => {
  it('keeps the order while all are healthy', () => expect(withClock().names()).toEqual(['a', 'b', 'c']));

  it('puts a failed source last for a while, but never leaves it out', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(a));
    expect(names()).toEqual(['b', 'c', 'a']);
    at(99, () => expect(names()).toEqual(['b', 'c', 'a']));
    at(100, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
    expect(time.frame).toBe(100);
  });

  it('keeps the order among cooling sources', () => {
    const { health, names } = withClock();
    health.observe(failure(c));
    health.observe(failure(a));
    expect(names()).toEqual(['b', 'a', 'c']);
  });

  it('begins with another source than one with wrong content, even if all are cooling down', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(b));
    health.observe(failure(c));
    health.observe(failure(a, 'WRONG_CHECKSUM'));
    expect(names()).toEqual(['b', 'c', 'a']);
    at(999, () => expect(names()).toEqual(['b', 'c', 'a']));
    at(1000, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
    expect(time.frame).toBe(1000);
  });

  it.each([
    ['CHANGED', ['saved', 'b']],
    ['WRONG_CHECKSUM', ['saved', 'b']],
    ['WRONG_LENGTH', ['saved', 'b']],
    ['SHORT_BODY', ['saved', 'b']],
    ['UNREADABLE', ['b', 'saved']],
  ] as const)('blames a wrong copy, not all copies, but a disk that cannot be read: %s', (code, order) => {
    const { health } = withClock();
    const saved = aCandidate('saved', entry, { source: { kind: 'saved', id: '' } });
    health.observe(failure(saved, code));
    expect(health.order([saved, b]).map(({ source }) => sourceName(source))).toEqual(order);
  });

  it('lets one request try a source that has cooled down, while the others wait for the result', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(a));
    at(100, () => {
      health.observe(attempt(a));
      expect(names()).toEqual(['b', 'c', 'a']);
      health.succeeded(aSource('a'));
      expect(names()).toEqual(['a', 'b', 'c']);
    });
    time.flush();
    expect(time.frame).toBe(100);
  });

  it('lets it cool down for longer after a failed trial, up to the limit', () => {
    const { time, health, names, at } = withClock();
    const waits: number[] = [];
    const fail = () => {
      health.observe(failure(a));
      waits.push((health.unhealthy()[0]?.until ?? 0) - time.now());
    };
    for (const _ of [1, 2, 3, 4, 5, 6]) fail();
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    at(1000, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
  });

  it('does not wait for ever for a trial that never ends', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(a));
    at(100, () => health.observe(attempt(a)));
    at(199, () => expect(names()).toEqual(['b', 'c', 'a']));
    at(200, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
    expect(time.frame).toBe(200);
  });

  it('spreads the time by one half', () => {
    const { health } = withClock(0);
    health.observe(failure(a));
    expect(health.unhealthy()).toMatchObject([{ until: 50 }]);
  });

  it('waits at least as long as the source asked for', () => {
    const { health } = withClock();
    health.observe(failure(a, 'SOURCE_BUSY', 700));
    expect(health.unhealthy()).toMatchObject([{ until: 700 }]);
  });

  it.each([
    ...(['SOURCE_MISSING', 'IS_FOLDER', 'UNSATISFIABLE', 'NEEDS_WHOLE', 'LENGTH_UNKNOWN', 'KNOWN_WRONG'] as const),
    ...(['WRONG_CODING', 'SOURCE_FULL', 'ANSWER_TIMEOUT', 'CLIENT_STUCK', 'INTERNAL'] as const),
  ])('does not count %s against a source', (code) => {
    const { health } = withClock();
    health.observe(failure(a, code));
    expect(health.unhealthy()).toEqual([]);
  });

  it.each(['WRONG_CHECKSUM', 'WRONG_LENGTH', 'CHANGED', 'SHORT_BODY'] as const)(
    'counts other bytes against a source: %s',
    (code) => {
      const { health } = withClock();
      health.observe(failure(a, code));
      expect(health.unhealthy()).toHaveLength(1);
    },
  );

  it('does not count other bytes against a source if an earlier revision was asked for', () => {
    const { health } = withClock();
    const past = aCandidate('a', { ...entry, asOf: 'revision 3 of /p' });
    health.observe(failure(past, 'WRONG_CHECKSUM'));
    expect(health.unhealthy()).toEqual([]);
    health.observe(failure(past, 'CONNECTION_LOST'));
    expect(health.unhealthy()).toHaveLength(1);
  });

  it('puts a source last whose content is coded wrongly, though its failure does not count', () => {
    const { health, names } = withClock();
    health.observe(failure(a, 'WRONG_CODING'));
    expect(names()).toEqual(['b', 'c', 'a']);
  });

  it('asks for the whole only after a source has refused a part', () => {
    const { health } = withClock();
    health.observe(failure(a));
    expect(health.needsWhole(a)).toBe(false);
    health.observe(failure(a, 'NEEDS_WHOLE'));
    expect(health.needsWhole(a)).toBe(true);
  });

  it('tries the disk of saved copies again, as any source', () => {
    const { time, health, at } = withClock();
    const saved = aCandidate('saved', entry, { source: { kind: 'saved', id: '' } });
    health.observe(failure(saved, 'UNREADABLE'));
    at(100, () => health.observe(attempt(saved)));
    time.flush();
    expect(health.unhealthy()).toMatchObject([{ state: 'trial' }]);
  });

  it('remembers why a source failed last', () => {
    const { health } = withClock();
    health.observe(failure(a));
    health.observe(failure(a, 'SOURCE_BUSY'));
    expect(health.unhealthy()).toMatchObject([{ lastError: { code: 'SOURCE_BUSY', message: 'why' } }]);
  });

  it('learns only from attempts and failures', () => {
    const { time, health, at } = withClock();
    health.observe(failure(a));
    const [before] = health.unhealthy();
    at(100, () => health.observe({ ...attempt(a), type: 'resumed' } as Note));
    time.flush();
    expect(health.unhealthy()).toEqual([before]);
    health.observe({ type: 'found', candidates: 1 } as unknown as Note);
    expect(health.unhealthy()).toEqual([before]);
  });

  it('adopts what another one has learned, and emits it', () => {
    const [{ health: first }, { health: second, names }] = [withClock(), withClock()];
    first.changes.subscribe((change) => second.adopt(change));
    const emitted: string[] = [];
    second.changes.subscribe(({ type }) => emitted.push(type));
    first.observe(failure(a));
    expect(names()).toEqual(['b', 'c', 'a']);
    first.succeeded(aSource('a'));
    expect(names()).toEqual(['a', 'b', 'c']);
    expect(second.unhealthy()).toEqual([]);
    expect(emitted).toEqual(['failed', 'recovered']);
  });

  it('emits each change of a source', () => {
    const { time, health, at } = withClock();
    const emitted: string[] = [];
    health.changes.subscribe(({ type, health: { source, state, failures } }) =>
      emitted.push(`${sourceName(source)} ${type}: ${state} ${failures}`),
    );
    health.observe(failure(a));
    health.observe(failure(a));
    at(200, () => health.observe(attempt(a)));
    time.flush();
    health.succeeded(aSource('a'));
    health.succeeded(aSource('b'));
    expect(emitted).toEqual(['a failed: cooling 1', 'a failed: cooling 2', 'a trial: trial 2', 'a recovered: trial 2']);
    expect(health.unhealthy()).toEqual([]);
  });

  it('tells of a failure no more, however many sources are unhealthy', () => {
    const { health } = withClock();
    const emitted: unknown[] = [];
    for (let at = 0; at < 3000; at += 1) health.observe(failure(aCandidate(`s${at}`, entry)));
    health.changes.subscribe((change) => emitted.push(change));
    health.observe(failure(a));
    expect(emitted).toEqual([{ type: 'failed', health: expect.objectContaining({ source: a.source, failures: 1 }) }]);
  });

  it('forgets the source that failed longest ago if there are thousands', () => {
    const { health, names } = withClock();
    for (const one of [a, b, a]) health.observe(failure(one));
    for (let at = 0; at < 4095; at += 1) health.observe(failure(aCandidate(`s${at}`, entry)));
    expect(names()).toEqual(['b', 'c', 'a']);
    expect(health.unhealthy()).toHaveLength(4096);
  });

  it('knows the usual head time of a source once it has enough of them', () => {
    const { health } = withClock();
    for (let i = 1; i <= 19; i++) health.answered(aSource('a'), i);
    expect(health.usualHead(aSource('a'))).toBeUndefined();
    health.answered(aSource('a'), 1000);
    expect(health.usualHead(aSource('a'))).toBe(1000);
    for (let i = 0; i < 64; i++) health.answered(aSource('a'), 5);
    expect(health.usualHead(aSource('a'))).toBe(5);
    expect(health.usualHead(aSource('b'))).toBeUndefined();
  });

  it('takes the time that 95 of 100 heads need as the usual one, in whatever order they came', () => {
    const { health } = withClock();
    for (let i = 0; i < 20; i++) health.answered(aSource('a'), (i * 7) % 20);
    expect(health.usualHead(aSource('a'))).toBe(19);
    for (let i = 0; i < 20; i++) health.answered(aSource('a'), 100 + ((i * 7) % 20));
    expect(health.usualHead(aSource('a'))).toBe(118);
  });
});
