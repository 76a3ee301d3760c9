import { defer, NEVER, type Observable, of, ReplaySubject, share, tap } from 'rxjs';

/** Answers that are cached for a moment. */
export interface Answers<T> {
  /**
   * Emits the cached answer, or asks, and completes. Concurrent subscribers for the same key share
   * one query. It is cancelled after all of them have unsubscribed. Errors are not cached.
   */
  of(key: string): Observable<T>;
  /** Makes the next subscriber ask again. */
  forget(key: string): void;
}

interface Options<T> {
  readonly ask: (key: string) => Observable<T>;
  /** Milliseconds, from the start of the query. */
  readonly life: number;
  /** Limit of answers; the oldest are removed first. */
  readonly most: number;
  /** Milliseconds. */
  readonly now: () => number;
}

export const keepAnswers = <T>({ ask, life, most, now }: Options<T>): Answers<T> => {
  interface Kept {
    readonly until: number;
    readonly answer: Observable<T>;
  }
  const kept = new Map<string, Kept>();

  const askAnew = (key: string): Observable<T> => {
    let answered = false;
    const answer = ask(key).pipe(
      tap({
        next: () => {
          answered = true;
        },
        error: () => {
          if (kept.get(key)?.answer === answer) kept.delete(key);
        },
      }),
      share({
        connector: () => new ReplaySubject(1),
        resetOnComplete: false,
        resetOnRefCountZero: () => (answered ? NEVER : of('nobody waits')),
      }),
    );
    kept.delete(key);
    kept.set(key, { until: now() + life, answer });
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return answer;
  };

  return {
    of: (key) =>
      defer(() => {
        const known = kept.get(key);
        return known && now() < known.until ? known.answer : askAnew(key);
      }),
    forget: (key) => {
      kept.delete(key);
    },
  };
};
