import type { Answer } from '../catalog/answer.ts';

/**
 * The values of a source that may answer late, or never, for one that cannot wait. What answers at
 * once is asked each time. Otherwise it returns what came last, and asks again, once at a time; it
 * throws the error that came instead.
 */
export const latest = <T>(ask: () => Answer<readonly T[]>): (() => readonly T[]) => {
  let known: readonly T[] = [];
  let failure: { readonly error: unknown } | undefined;
  let asking = false;
  return () => {
    if (!asking) {
      const answer = ask();
      if (!(answer instanceof Promise)) return answer;
      asking = true;
      answer.then(
        (values) => {
          [known, failure, asking] = [values, undefined, false];
        },
        (error: unknown) => {
          [failure, asking] = [{ error }, false];
        },
      );
    }
    if (failure) throw failure.error;
    return known;
  };
};
