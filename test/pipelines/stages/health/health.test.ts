import { describe, expect, it } from '@jest/globals';
import { VirtualTimeScheduler } from 'rxjs';
import { createHealth, type ErrorCode, type Note, StreamError, sourceName } from '../../../../pipelines/index.ts';
import { aCandidate, aSource, entryOf } from '../../../support/river.ts';

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
  it('keeps the order where all are well', () => expect(withClock().names()).toEqual(['a', 'b', 'c']));

  it('puts a source that failed last for a while, and never leaves it out', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(a));
    expect(names()).toEqual(['b', 'c', 'a']);
    at(99, () => expect(names()).toEqual(['b', 'c', 'a']));
    at(100, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
    expect(time.frame).toBe(100);
  });

  it('keeps the order among those that cool down', () => {
    const { health, names } = withClock();
    health.observe(failure(c));
    health.observe(failure(a));
    expect(names()).toEqual(['b', 'a', 'c']);
  });

  it('begins with another source than the one that lied, also where all are cooling down', () => {
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

  it('lets one request try a source that has cooled down; the others wait for what comes of it', () => {
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

  it('lets it cool down for longer after a trial that failed, up to the limit', () => {
    const { time, health, names, at } = withClock();
    const waits: number[] = [];
    const fail = () => {
      health.observe(failure(a));
      health.unhealthy.subscribe(([one]) => waits.push((one?.until ?? 0) - time.now())).unsubscribe();
    };
    for (const _ of [1, 2, 3, 4, 5, 6]) fail();
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
    at(1000, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
  });

  it('does not wait for ever for a trial that came to no end', () => {
    const { time, health, names, at } = withClock();
    health.observe(failure(a));
    at(100, () => health.observe(attempt(a)));
    at(199, () => expect(names()).toEqual(['b', 'c', 'a']));
    at(200, () => expect(names()).toEqual(['a', 'b', 'c']));
    time.flush();
    expect(time.frame).toBe(200);
  });

  it('spreads the time by half', () => {
    const { health } = withClock(0);
    health.observe(failure(a));
    health.unhealthy.subscribe(([one]) => expect(one?.until).toBe(50)).unsubscribe();
  });

  it('waits at least as long as the source asked for', () => {
    const { health } = withClock();
    health.observe(failure(a, 'SOURCE_BUSY', 700));
    health.unhealthy.subscribe(([one]) => expect(one?.until).toBe(700)).unsubscribe();
  });

  it.each(['SOURCE_MISSING', 'CLIENT_STUCK', 'INTERNAL'] as const)('does not blame a source for %s', (code) => {
    const { health, names } = withClock();
    health.observe(failure(a, code));
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('tells who is ill, and why', () => {
    const { health } = withClock();
    const told: string[] = [];
    health.unhealthy.subscribe((unhealthy) =>
      told.push(unhealthy.map(({ source, state, failures }) => `${sourceName(source)} ${state} ${failures}`).join()),
    );
    health.observe(failure(a));
    health.observe(failure(a));
    health.succeeded(aSource('a'));
    health.succeeded(aSource('b'));
    expect(told).toEqual(['', 'a cooling 1', 'a cooling 2', '']);
  });

  it('knows what a source’s heads usually take, once it saw enough of them', () => {
    const { health } = withClock();
    for (let i = 1; i <= 19; i++) health.answered(aSource('a'), i);
    expect(health.usualHead(aSource('a'))).toBeUndefined();
    health.answered(aSource('a'), 1000);
    expect(health.usualHead(aSource('a'))).toBe(1000);
    for (let i = 0; i < 64; i++) health.answered(aSource('a'), 5);
    expect(health.usualHead(aSource('a'))).toBe(5);
    expect(health.usualHead(aSource('b'))).toBeUndefined();
  });
});
