import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { concat, finalize, NEVER, of, Subject, throwError } from 'rxjs';
import { pulledUntilAborted, untilAborted } from '../../../src/lib/until-aborted.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

/** What a consumer is told. */
const watch = () => {
  const told: unknown[] = [];
  return {
    told,
    observer: {
      next: (value: unknown) => told.push(value),
      error: (error: unknown) => told.push({ error }),
      complete: () => told.push('complete'),
    },
  };
};

describe('a source with a signal', () => {
  it('errors with its reason when it is aborted, after leaving nothing open', () => {
    const controller = new AbortController();
    let open = true;
    const { told, observer } = watch();
    const source = concat(of(1), NEVER).pipe(
      finalize(() => {
        open = false;
      }),
    );
    untilAborted(source, controller.signal).subscribe(observer);
    expect({ told, open }).toEqual({ told: [1], open: true });
    controller.abort('enough');
    expect({ told, open }).toEqual({ told: [1, { error: 'enough' }], open: false });
    expect(listeners(controller.signal)).toBe(0);
  });

  it('is not subscribed to if it was aborted before', () => {
    const source = new Subject();
    const { told, observer } = watch();
    untilAborted(source, AbortSignal.abort('early')).subscribe(observer);
    expect(told).toEqual([{ error: 'early' }]);
    expect(source.observed).toBe(false);
  });

  it('stops a source that is aborted by its consumer, also synchronously', () => {
    const controller = new AbortController();
    const { told, observer } = watch();
    const next = (value: unknown) => {
      observer.next(value);
      controller.abort('after one');
    };
    untilAborted(of(1, 2, 3), controller.signal).subscribe({ ...observer, next });
    expect(told).toEqual([1, { error: 'after one' }]);
  });

  it('ends otherwise as it would without one, and listens no longer', () => {
    const { signal } = new AbortController();
    const { told, observer } = watch();
    untilAborted(of(1), signal).subscribe(observer);
    untilAborted(
      throwError(() => 'failed'),
      signal,
    ).subscribe(observer);
    const source = new Subject();
    const subscription = untilAborted(source, signal).subscribe(observer);
    expect(listeners(signal)).toBe(1);
    subscription.unsubscribe();
    expect(told).toEqual([1, 'complete', { error: 'failed' }]);
    expect({ observed: source.observed, listening: listeners(signal) }).toEqual({ observed: false, listening: 0 });
    expect(untilAborted(source, undefined)).toBe(source);
  });
});

describe('values that are pulled with a signal', () => {
  /** Values that wait, and the reason of a signal after them. */
  const waiting = (signal: AbortSignal) => {
    const values = ['a', 'b'];
    const left: string[] = [];
    const source: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const value = values.shift();
          if (value !== undefined) return { done: false, value };
          signal.throwIfAborted();
          return { done: true, value: undefined };
        },
        return: async () => {
          left.push('left');
          values.length = 0;
          return { done: true, value: undefined };
        },
      }),
    };
    return { reader: pulledUntilAborted(source, signal)[Symbol.asyncIterator](), source, left };
  };

  it('end with its reason at once, without those that wait', async () => {
    const controller = new AbortController();
    const { reader, left } = waiting(controller.signal);
    expect(await reader.next()).toEqual({ done: false, value: 'a' });
    controller.abort(new Error('enough'));
    await expect(reader.next()).rejects.toThrow('enough');
    expect(left).toEqual(['left']);
  });

  it('come, end and are left otherwise as without one', async () => {
    const { signal } = new AbortController();
    const whole = waiting(signal);
    for (const expected of ['a', 'b', undefined])
      expect(await whole.reader.next()).toEqual({ done: expected === undefined, value: expected });
    const part = waiting(signal);
    await part.reader.next();
    expect(await part.reader.return?.()).toEqual({ done: true, value: undefined });
    expect(part.left).toEqual(['left']);
    expect(pulledUntilAborted(part.source, undefined)).toBe(part.source);
  });
});
