import { expect } from '@jest/globals';
import type { StreamError } from '../../pipelines/index.ts';

const PROPERTIES = ['code', 'source', 'sourceStatus', 'retryAfter', 'length', 'state'] as const;

/** Without loading the pipelines: every test file runs this. */
const isStreamError = (value: unknown): value is StreamError => value instanceof Error && value.name === 'StreamError';

// Jest compares only name, message and cause of errors: one with another code would equal the expected one.
expect.addEqualityTesters([
  (one: unknown, other: unknown) =>
    isStreamError(one) && isStreamError(other) && PROPERTIES.some((name) => one[name] !== other[name])
      ? false
      : undefined,
]);
