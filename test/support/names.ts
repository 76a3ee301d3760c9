import dns, { type LookupAddress } from 'node:dns';
import { isIPv4 } from 'node:net';
import { afterEach, beforeEach } from '@jest/globals';

type Lookup = (name: string, options: dns.LookupOptions, done: (...result: unknown[]) => void) => void;

/** Addresses by name, for the names of a test. They may change. */
export const resolvingNames = (): Map<string, readonly string[]> => {
  const names = new Map<string, readonly string[]>();
  const { lookup } = dns;
  beforeEach(() => {
    const known: Lookup = (name, options, done) => {
      const found = names.get(name);
      if (!found) return (lookup as unknown as Lookup)(name, options, done);
      const all: LookupAddress[] = found.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
      if (options.all) setImmediate(done, null, all);
      else setImmediate(done, null, all[0]?.address, all[0]?.family);
    };
    dns.lookup = known as unknown as typeof dns.lookup;
  });
  afterEach(() => {
    dns.lookup = lookup;
    names.clear();
  });
  return names;
};
