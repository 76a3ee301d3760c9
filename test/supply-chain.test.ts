import { describe, expect, it } from '@jest/globals';
import { textOf } from './support/named-test.ts';

/** A package of package-lock.json. */
interface Locked {
  readonly dev?: boolean;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

/** A new package needs a reason, which the commit that raises this number gives. */
const MOST = 53;

/** Licences of which works may be distributed under Apache-2.0, without further conditions than to name them. */
const FITTING: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'Unlicense'],
]);

const all = Object.entries(JSON.parse(textOf('package-lock.json')).packages as Record<string, Locked>);
/** Packages that are installed where the streamer runs. */
const production = all.filter(([path, { dev }]) => path !== '' && !dev);
const allowed: Readonly<Record<string, boolean>> = JSON.parse(textOf('package.json')).allowScripts;
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** What is wrong with packages. */
const faultsOf = (packages: readonly (readonly [path: string, locked: Locked])[]): readonly string[] =>
  packages.flatMap(([path, { license = 'none', integrity, hasInstallScript }]) => [
    ...(FITTING.has(license) ? [] : [`${path}: licence ${license}`]),
    ...(integrity?.startsWith('sha512-') ? [] : [`${path}: no digest`]),
    // True would let it run: no package that runs in production may.
    ...(hasInstallScript && allowed[nameOf(path)] !== false ? [`${path}: runs a script when it is installed`] : []),
  ]);

describe('the packages that run in production', () => {
  it('are few', () => {
    expect(production.length).toBeLessThanOrEqual(MOST);
    // Room would let one in unnoticed.
    expect(production.length).toBeGreaterThan(MOST - 3);
  });

  it('have licences that fit, digests, and no scripts', () => {
    expect(faultsOf(production)).toEqual([]);
  });

  it('are refused otherwise', () => {
    const good: Locked = { license: 'MIT', integrity: 'sha512-x' };
    const refused = (locked: Locked) => faultsOf([['node_modules/a/node_modules/b', { ...good, ...locked }]]);
    expect(refused({})).toEqual([]);
    expect(refused({ license: 'GPL-3.0-only' })).toEqual(['node_modules/a/node_modules/b: licence GPL-3.0-only']);
    expect(refused({ integrity: 'sha1-x' })).toEqual(['node_modules/a/node_modules/b: no digest']);
    expect(refused({ hasInstallScript: true })).toEqual([
      'node_modules/a/node_modules/b: runs a script when it is installed',
    ]);
  });
});
