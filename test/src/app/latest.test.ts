import { expect, it } from '@jest/globals';
import { latest } from '../../../src/app/latest.ts';

it('asks each time what answers at once', () => {
  let asked = 0;
  const read = latest(() => [++asked]);
  expect([read(), read()]).toEqual([[1], [2]]);
});

it('returns the last answer of what answers late, and asks it once at a time', async () => {
  const answers: PromiseWithResolvers<number[]>[] = [];
  const read = latest(() => {
    const answer = Promise.withResolvers<number[]>();
    answers.push(answer);
    return answer.promise;
  });
  expect([read(), read()]).toEqual([[], []]);
  expect(answers).toHaveLength(1);
  answers[0]?.resolve([1]);
  await answers[0]?.promise;
  expect([read(), read()]).toEqual([[1], [1]]);
  expect(answers).toHaveLength(2);
  answers[1]?.reject(new Error('unreachable'));
  await expect(answers[1]?.promise).rejects.toThrow();
  expect(read).toThrow('unreachable');
  answers[2]?.resolve([3]);
  await answers[2]?.promise;
  expect(read()).toEqual([3]);
});
