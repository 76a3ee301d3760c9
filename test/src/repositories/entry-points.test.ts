import { describe, expect, it } from '@jest/globals';
import { isEntryPoint, probesOf, suiteOf } from '../../../src/repositories/entry-points.ts';

const suiteIn = (path: string, suites: readonly string[] = [], format = 'deb') =>
  suiteOf({ format, selection: { suites } }, path);

describe('the suite that a path begins', () => {
  it.each([
    ['dists/stable/InRelease', 'stable'],
    ['dists/stable/Release', 'stable'],
    ['dists/stable/Release.gpg', 'stable'],
    ['dists/jessie/updates/Release', 'jessie/updates'],
    ['InRelease', './'],
    ['Packages', './'],
    ['Packages.gz', './'],
    ['unstable/Release', 'unstable/'],
    ['dists/stable/main/binary-amd64/Packages.xz', undefined],
    ['pool/main/b/bear.deb', undefined],
    ['dists/stable/', undefined],
    ['dists/stable/main/binary-amd64/Release', undefined],
    ['dists/stable/main/source/Release', undefined],
    ['dists//stable/Release', undefined],
    ['dists/stable//Release', undefined],
    ['//Release', undefined],
  ])('%s: %s', (path, suite) => {
    expect(suiteIn(path)).toBe(suite);
  });

  it('is none that is known, nor a part of one', () => {
    expect(suiteIn('dists/stable/InRelease', ['stable'])).toBeUndefined();
    expect(suiteIn('dists/stable/main/binary-amd64/Release', ['stable'])).toBeUndefined();
    expect(suiteIn('dists/stable-updates/InRelease', ['stable'])).toBe('stable-updates');
    expect(suiteIn('Release', ['./'])).toBeUndefined();
  });

  it('is none of another format', () => {
    expect(suiteIn('dists/stable/InRelease', [], 'yum')).toBeUndefined();
  });
});

it('names the files of which a suite has at least one', () => {
  expect(probesOf('stable')).toEqual(['dists/stable/InRelease', 'dists/stable/Release']);
  expect(probesOf('./')).toEqual(['InRelease', 'Release', 'Packages.gz', 'Packages.xz', 'Packages']);
  expect(probesOf('sub/')[0]).toBe('sub/InRelease');
});

it.each([
  'repodata/repomd.xml',
  'repodata/repomd.xml.asc',
  'dists/s/Release',
  '.treeinfo',
  'PULP_MANIFEST',
  'Packages',
])('knows %s as an entry point', (path) => {
  expect(isEntryPoint(path)).toBe(true);
  expect(isEntryPoint(`${path}x`)).toBe(false);
});
