import { describe, expect, it } from '@jest/globals';
import { defer, firstValueFrom, Subject, throwError } from 'rxjs';
import { keepAnswers } from '../../../../src/catalog/mongodb/answers.ts';

const setUp = (most = 100) => {
  const asked: { key: string; answer: Subject<number> }[] = [];
  let time = 0;
  const answers = keepAnswers<number>({
    ask: (key) =>
      defer(() => {
        const answer = new Subject<number>();
        asked.push({ key, answer });
        return answer;
      }),
    life: 1000,
    most,
    now: () => time,
  });
  /** Asks, and returns the answer that arrived. */
  const ask = async (key: string, value: number) => {
    const before = asked.length;
    const found = firstValueFrom(answers.of(key));
    for (const { answer } of asked.slice(before)) {
      answer.next(value);
      answer.complete();
    }
    return found;
  };
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { answers, asked, ask, pass };
};

describe('kept answers', () => {
  it('are reused for a while, counted from the query on', async () => {
    const { asked, ask, pass } = setUp();
    expect(await ask('a', 1)).toBe(1);
    pass(999);
    expect([await ask('a', 2), await ask('b', 3)]).toEqual([1, 3]);
    pass(1);
    expect(await ask('a', 4)).toBe(4);
    expect(asked.map(({ key }) => key)).toEqual(['a', 'b', 'a']);
  });

  it('are shared by concurrent subscribers', async () => {
    const { answers, asked } = setUp();
    const both = Promise.all([firstValueFrom(answers.of('a')), firstValueFrom(answers.of('a'))]);
    asked[0]?.answer.next(1);
    expect(await both).toEqual([1, 1]);
    expect(asked).toHaveLength(1);
  });

  it('are dropped on demand, even while pending', async () => {
    const { answers, asked, ask } = setUp();
    await ask('a', 1);
    answers.forget('a');
    expect(await ask('a', 2)).toBe(2);
    answers.forget('a');
    const old = firstValueFrom(answers.of('a'));
    answers.forget('a');
    const fresh = firstValueFrom(answers.of('a'));
    expect(asked).toHaveLength(4);
    asked[2]?.answer.next(3);
    asked[3]?.answer.next(4);
    expect(await Promise.all([old, fresh])).toEqual([3, 4]);
  });

  it('do not include errors', async () => {
    let times = 0;
    const answers = keepAnswers<number>({
      ask: () => throwError(() => new Error(`failure ${++times}`)),
      life: 1000,
      most: 10,
      now: () => 0,
    });
    await expect(firstValueFrom(answers.of('a'))).rejects.toThrow('failure 1');
    await expect(firstValueFrom(answers.of('a'))).rejects.toThrow('failure 2');
  });

  it('cancel a query without subscribers, and repeat it for the next one', async () => {
    const { answers, asked } = setUp();
    answers.of('a').subscribe().unsubscribe();
    expect(asked[0]?.answer.observed).toBe(false);
    const found = firstValueFrom(answers.of('a'));
    asked[1]?.answer.next(1);
    expect(await found).toBe(1);
  });

  it('are limited in number; the oldest are dropped first', async () => {
    const { asked, ask } = setUp(2);
    for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await ask(key, 1);
    expect(asked.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'a']);
  });
});
