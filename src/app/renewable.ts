import { isDeepStrictEqual } from 'node:util';

/** A value that follows a part of the settings. */
export interface Renewable<T> {
  readonly value: T;
  /** Makes the value again if its part of the settings has changed since. Returns the former one. */
  renew(): T | undefined;
}

/** Makes a value from a part of the settings, which is compared by content. */
export const renewable = <P, T>(part: () => P, make: (part: P) => T): Renewable<T> => {
  let made = part();
  let value = make(made);
  return {
    get value() {
      return value;
    },
    renew: () => {
      const next = part();
      if (isDeepStrictEqual(next, made)) return undefined;
      const former = value;
      value = make(next);
      made = next;
      return former;
    },
  };
};
