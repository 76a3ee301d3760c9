import { expect, it } from '@jest/globals';
import { uuidOf } from '../../../src/lib/uuid.ts';

it('has the bits of a digest, but for those of version 8 and its variant', () => {
  expect(uuidOf('f'.repeat(64))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff');
  expect(uuidOf('0'.repeat(64))).toBe('00000000-0000-8000-8000-000000000000');
  expect(uuidOf('0123456789abcdef0123456789abcdef')).toBe('01234567-89ab-8def-8123-456789abcdef');
});
