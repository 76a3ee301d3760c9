import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { compareVersions, packageOf } from '../../../src/repositories/versions.ts';
import { itNeeding } from '../../support/repositories.ts';

const VERSIONS = ['1', '1.0', '1.00', '1.0.1', '1.10', '1.9', '1.0~rc1', '1.0~rc2', '1.0~', '1.0+git', '1.0a', '1.0b2'];
const OF_RPM = [
  ...VERSIONS,
  ...['1.0^git1', '1.0^', '1.0^git1~x', '1..0', '1_0', 'a', '0', '00007', '20260101', '1.0.', '~', '1Z', '1.é'],
];
const OF_DEB = [...VERSIONS, '1:0.1', '0:1.0', '1.0-1', '1.0-10', '1.0-9', '1.0-1~bpo1', '1.0-0ubuntu1', '1.0-1+b1'];

const pairsOf = (versions: readonly string[]) => versions.flatMap((a) => versions.map((b) => [a, b] as const));

describe('compareVersions', () => {
  itNeeding(['rpm'])('orders versions as rpm does', () => {
    const pairs = pairsOf(OF_RPM);
    const lua = `for a, b in io.read('*a'):gmatch('(%S+) (%S+)\\n') do print(' ' .. rpm.vercmp(a, b)) end`;
    const output = execFileSync('rpm', ['--eval', `%{lua:${lua}}`], {
      input: pairs.map((pair) => `${pair.join(' ')}\n`).join(''),
      encoding: 'utf8',
    });
    const key = (version: string) => ({ epoch: '0', version, release: '1' });
    const ours = pairs.map(([a, b]) => [a, b, Math.sign(compareVersions('rpm', key(a), key(b)))]);
    const theirs = output.match(/-?\d+/g) ?? [];
    expect(ours).toEqual(pairs.map(([a, b], at) => [a, b, Number(theirs[at])]));
  });

  it('orders by epoch, then by version, then by release', () => {
    const key = (epoch: string, version: string, release: string) => ({ epoch, version, release });
    const order = [
      key('0', '9', '9'),
      key('1', '1', '2'),
      key('1', '1', '10'),
      key('1', '2', '1'),
      key('10', '0', '0'),
    ];
    const shuffled = [3, 0, 4, 2, 1].map((at) => order[at] ?? key('', '', ''));
    expect(shuffled.toSorted((a, b) => compareVersions('rpm', a, b))).toEqual(order);
  });

  itNeeding(['dpkg'])('orders versions as dpkg does', () => {
    const SIGNS = { lt: -1, eq: 0, gt: 1 } as const;
    const theirs = (a: string, b: string) =>
      Object.entries(SIGNS).find(([sign]) => spawnSync('dpkg', ['--compare-versions', a, sign, b]).status === 0)?.[1];
    for (const [a, b] of pairsOf(OF_DEB).filter(([a, b]) => a < b)) {
      const order = Math.sign(compareVersions('deb', { version: a }, { version: b }));
      expect([a, b, order]).toEqual([a, b, theirs(a, b)]);
      expect(Math.sign(compareVersions('deb', { version: b }, { version: a }))).toBe(0 - order);
    }
  });
});

describe('packageOf', () => {
  it('names what a client replaces when it updates', () => {
    expect(packageOf('rpm', { name: 'bear', arch: 'noarch' })).toEqual({ name: 'bear', full: 'bear.noarch' });
    expect(packageOf('srpm', { name: 'bear', arch: 'src' })).toEqual({ name: 'bear', full: 'bear.src' });
    expect(packageOf('deb', { name: 'bear', architecture: 'all' })).toEqual({ name: 'bear', full: 'bear:all' });
    expect(packageOf('iso', { name: 'bear.iso' })).toBeUndefined();
  });
});
