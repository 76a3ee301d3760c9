import { describe, expect, it } from '@jest/globals';
import { openAuthorization } from '../../../../src/app/authorization.ts';
import { ownerOf, ownerOfTarget } from '../../../../src/app/workers/owner.ts';
import { checkWorkers, shareOf } from '../../../../src/app/workers/shares.ts';
import { settingsOf } from '../../../../src/config/from-options.ts';

const settings = (options: Parameters<typeof settingsOf>[0]) => settingsOf({ stateDir: '/nowhere', ...options });

describe('the parts of the limits', () => {
  it('are the limits of the settings together, and none is 0, which is no limit', () => {
    const all = settings({ maxTransfers: 7, maxTransfersPerClient: 2, maxConnections: 1 });
    const parts = [0, 1, 2].map((index) => shareOf(all, index, 3));
    expect(parts.map(({ maxTransfers }) => maxTransfers)).toEqual([3, 2, 2]);
    // Refused at the start; a reload may bring it.
    expect(parts.map(({ maxTransfersPerClient }) => maxTransfersPerClient)).toEqual([1, 1, 1]);
    expect(shareOf(settings({ maxTransfers: 0 }), 0, 3).maxTransfers).toBe(0);
  });

  it('must be enough for each worker', () => {
    expect(() => checkWorkers(settings({ workers: 3, maxTransfers: 2 }))).toThrow(
      'max_transfers: expected at least 3, one for each of the workers; found 2',
    );
    checkWorkers(settings({ workers: 1, maxTransfers: 1 }));
    checkWorkers(settings({ workers: 3, maxTransfers: 0 }));
  });
});

describe('the owner of a path', () => {
  it('is always the same, whatever the query or the host, and each has about as many', () => {
    const counts = [0, 0, 0, 0];
    for (let at = 0; at < 4000; at += 1) {
      const owner = ownerOf(`/pub/el9/Packages/package-${at}.rpm`, 4);
      counts[owner] = (counts[owner] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const owner = ownerOf('/pub/a.rpm', 4);
    for (const target of ['/pub/a.rpm', '/pub/a.rpm?policy=1;signature=2', 'http://streamer:8751/pub/a.rpm'])
      expect(ownerOfTarget(target, 4)).toBe(owner);
    expect(ownerOfTarget('*', 4)).toBeUndefined();
  });

  it('is the same for all spellings of it, and for all hosts that a proxy has it from', () => {
    const owners = (...targets: readonly string[]) =>
      new Set(targets.flatMap((target) => [7, 64].map((count) => `${count}:${ownerOfTarget(target, count)}`))).size;
    const spellings = ['/%70/./c++;v=1', '/p/c%2B%2b', '//p/c++', '/p/x/../c%2b+?query', '/p/c++'];
    expect(owners(...spellings)).toBe(2);
    const { pathOf } = openAuthorization({
      ...settings({ redirectPath: '/streamer', proxy: true, proxyHosts: 'a.example/debian=/p, *.b.example=/p' }),
    });
    const mapped = ['http://a.example/debian/c++', 'http://x.b.example/c%2b%2B', '/p/c++', '/streamer/p/c++'];
    for (const count of [7, 64])
      expect(new Set(mapped.map((target) => ownerOfTarget(target, count, { pathOf })))).toEqual(
        new Set([ownerOf('/p/c++', count)]),
      );
  });

  it('is the same for a folder and its index files, and for a path and what views show there', () => {
    const indexNames = ['index.html', 'index.htm'];
    const owners = (targets: readonly string[]) =>
      new Set(targets.map((target) => ownerOfTarget(target, 64, { indexNames }))).size;
    expect(owners(['/p/', '/p/index.html', '/p/./index.htm', '/p@latest/', '/%70@2026-11-20/index.html'])).toBe(1);
    expect(owners(['/p/x@1.rpm', '/p@latest/x@1.rpm', '/p%40prod/x@1.rpm'])).toBe(1);
    expect(owners(['/x', '/@latest/x'])).toBe(1);
    expect(owners(['/p/x@1.rpm', '/p/x@2.rpm', '/p/x@3.rpm', '/p/index.php', '/p/'])).toBeGreaterThan(2);
  });
});
