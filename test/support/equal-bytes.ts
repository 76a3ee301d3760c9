import { expect } from '@jest/globals';

// Jest compares bytes one by one: half a megabyte takes a second. Equal ones of one type need not be looked at
// further; for others it says what differs.
expect.addEqualityTesters([
  (one: unknown, other: unknown) =>
    one instanceof Uint8Array &&
    other instanceof Uint8Array &&
    one.constructor === other.constructor &&
    Buffer.compare(one, other) === 0
      ? true
      : undefined,
]);
