import { expect, it } from '@jest/globals';
import { StreamError } from '../../../../pipelines/model/index.ts';
import { makeBreaker } from '../../../../src/saves/objects/breaker.ts';

it('a store that failed is not asked for a while, which doubles, until it answers', async () => {
  let now = 0;
  const changes: (string | undefined)[] = [];
  const breaker = makeBreaker({
    onChange: (problem) => changes.push(problem?.code),
    now: () => now,
    random: () => 1,
  });
  const fail = (code: 'SOURCE_FAILED' | 'SOURCE_MISSING') =>
    breaker.run(Promise.reject(new StreamError(code, 'feed', code))).catch(() => breaker.closed);
  // It is about one object.
  expect(await fail('SOURCE_MISSING')).toBe(true);
  expect(await fail('SOURCE_FAILED')).toBe(false);
  // Another request that waited at the same time.
  expect(await fail('SOURCE_FAILED')).toBe(false);
  now += 2_000;
  expect([breaker.closed, await fail('SOURCE_FAILED')]).toEqual([true, false]);
  now += 2_000;
  expect(breaker.closed).toBe(false);
  now += 2_000;
  expect(breaker.closed).toBe(true);
  expect(await breaker.run(Promise.resolve(5))).toBe(5);
  expect(changes).toEqual(['SOURCE_FAILED', 'SOURCE_FAILED', undefined]);
});
