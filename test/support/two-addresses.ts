import dns, { type LookupAddress } from 'node:dns';
import { afterEach, beforeEach } from '@jest/globals';

/** A name with two addresses of this machine. */
export const TWO_ADDRESSES = 'two.test';

const FAMILY = 4;
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];

type Lookup = (name: string, options: unknown, done: (...result: unknown[]) => void) => void;

/** Adds the name to the resolver during each test of the file, because a machine's names vary. */
export const resolveTwoAddresses = (): void => {
  const { lookup } = dns;
  beforeEach(() => {
    const known: Lookup = (name, options, done) => {
      if (name !== TWO_ADDRESSES) return (lookup as unknown as Lookup)(name, options, done);
      const all: LookupAddress[] = ADDRESSES.map((address) => ({ address, family: FAMILY }));
      if ((options as dns.LookupOptions).all) setImmediate(done, null, all);
      else setImmediate(done, null, ADDRESSES[0], FAMILY);
    };
    dns.lookup = known as unknown as typeof dns.lookup;
  });
  afterEach(() => {
    dns.lookup = lookup;
  });
};
