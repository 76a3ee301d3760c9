import { beforeEach } from '@jest/globals';
import { resolvingNames } from './names.ts';

/** A name with two addresses of this machine. */
export const TWO_ADDRESSES = 'two.test';

/** Adds the name to the resolver during each test of the file, because a machine's names vary. */
export const resolveTwoAddresses = (): void => {
  const names = resolvingNames();
  beforeEach(() => void names.set(TWO_ADDRESSES, ['127.0.0.1', '127.0.0.2']));
};
