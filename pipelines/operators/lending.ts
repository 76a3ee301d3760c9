/**
 * How an operator holds values whose memory is lent. A value is lent for the call that delivers it.
 * An operator that holds it longer retains it, and releases it once it has passed it on. Between
 * the two the value does not change.
 */
export interface Lending<T> {
  retain(value: T): void;
  release(value: T): void;
}

/** For values that belong to their receiver. */
export const OWNED: Lending<unknown> = { retain: () => {}, release: () => {} };
