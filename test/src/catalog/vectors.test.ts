import { describe, expect, it } from '@jest/globals';
import { locatorOf, unitIdOf } from '../../../src/catalog/locator.ts';
import { storagePath } from '../../../src/catalog/storage-path.ts';

const BEAR = {
  name: 'bear',
  version: '4.1',
  release: '1',
  arch: 'noarch',
  epoch: '0',
  checksumtype: 'sha256',
  checksum: '7a831f9f90bf4d21027572cb503d20b702de8e8785b02c0397445c2e481d81b3',
};

describe('a locator', () => {
  it('is the same as in Pulp, for any order of fields', () => {
    expect(locatorOf('rpm', BEAR)).toBe('75242aa6cc452550ce42c69f5bb3cc16f813240fa4ad31b428db01e821b99fa0');
  });

  it('escapes only characters outside printable ASCII, as Python does', () => {
    // python3: hashlib.sha256(json.dumps(['iso', {'name': 'é😀\x7f/"\n'}], separators=(',', ':')).encode()).hexdigest()
    expect(locatorOf('iso', { name: 'é😀\x7f/"\n' })).toBe(
      '5b8e59d68b3a03bb675dfaf9d6d6a7f98e9e935d30994156ee019fbac29adf7e',
    );
  });
});

describe('a storage path', () => {
  it('is the same as in Pulp', () => {
    expect(storagePath('/var/lib/pulp', 'rpm', BEAR, 'bear-4.1-1.noarch.rpm')).toBe(
      '/var/lib/pulp/content/units/rpm/76/78177c241777af22235092f21c3932dd4f0664e1624e5a2c77a201ec70f930/bear-4.1-1.noarch.rpm',
    );
  });

  it('uses the digits of numbers', () => {
    const digits = storagePath('/p/', 'iso', { name: 'a', checksum: 'b', size: 5 }, 'a');
    expect(digits).toBe(storagePath('/p', 'iso', { name: 'a', checksum: 'b', size: '5' }, 'a'));
  });
});

describe('a unit id', () => {
  it('is a UUID that depends only on type and key', () => {
    const id = unitIdOf('rpm', BEAR);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(unitIdOf('rpm', Object.fromEntries(Object.entries(BEAR).reverse()))).toBe(id);
    expect(unitIdOf('srpm', BEAR)).not.toBe(id);
    expect(unitIdOf('rpm', { ...BEAR, release: '2' })).not.toBe(id);
  });
});
