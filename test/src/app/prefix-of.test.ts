import { describe, expect, it } from '@jest/globals';
import { prefixFinder } from '../../../src/app/prefix-of.ts';

describe('The prefix of a path', () => {
  const find = prefixFinder(['/el9', '/el9/os', '/pub/a/b'].map((prefix) => ({ prefix })));

  it.each([
    ['/el9/x.rpm', '/el9'],
    ['/el9/os/Packages/x.rpm', '/el9/os'],
    ['/el9/osx/x.rpm', '/el9'],
    ['/pub/a/b//c', '/pub/a/b'],
    // A dated view.
    ['/el9@2026-11-20/os/x.rpm', '/el9'],
    ['/el9/os@prod/x.rpm', '/el9/os'],
    ['/el9/os/x@1/y@2.rpm', '/el9/os'],
    ['/el90@prod/x', '/el90@prod'],
    ['/@scope/x', '/@scope'],
    // Without a repository: the first folder.
    ['/pub/a/c/d', '/pub'],
    ['/el90/x', '/el90'],
    ['/el9', '/'],
    ['/', '/'],
    ['//x/y', '/'],
  ])('%s is %s', (path, prefix) => expect(find(path)).toBe(prefix));
});
