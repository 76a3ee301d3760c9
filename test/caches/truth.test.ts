import { describe, expect, it } from '@jest/globals';
import { type Kind, makeVersion } from './content.ts';
import { createTruth, type Row } from './truth.ts';

const KIND: Kind = { name: 'a.rpm', sized: false, chunked: false, ranges: true, tag: 'strong', dates: 'newer' };
const [A, B, C] = [0, 1, 2].map((place) => makeVersion(KIND, place, 100, place)) as [
  ReturnType<typeof makeVersion>,
  ReturnType<typeof makeVersion>,
  ReturnType<typeof makeVersion>,
];

/** A truth, and what happens to it at a time. */
const timeline = () => {
  let now = 0;
  const truth = createTruth(() => now);
  const at = (time: number, happens: () => void) => {
    now = time;
    happens();
  };
  return { truth, at };
};

const names = (list: readonly { readonly version: { readonly name: string } }[]) =>
  list.map(({ version }) => version.name);

describe('truth', () => {
  it('takes the version of a row with a checksum, whatever the feed has', () => {
    const { truth, at } = timeline();
    at(10, () => truth.show('a', A));
    at(10, () => truth.list([{ feed: 'a', version: A }]));
    at(20, () => truth.list([{ feed: 'a', version: B }]));
    expect(names(truth.admissible(15, 16))).toEqual([A.name]);
    expect(names(truth.admissible(15, 25))).toEqual([A.name, B.name]);
    expect(names(truth.admissible(20, 25))).toEqual([B.name]);
    expect(truth.failing(15, 16)).toBe(false);
    expect(truth.failing(21, 22)).toBe(true);
    expect(truth.passedOff(21, 22)).toMatchObject([{ as: B, bytes: A.bytes }]);
  });

  it('takes the versions of the feed since the row was listed, without a checksum', () => {
    const { truth, at } = timeline();
    at(10, () => truth.show('a', A));
    at(20, () => truth.show('a', B));
    at(20, () => truth.list([{ feed: 'a' }]));
    at(30, () => truth.show('a', C));
    expect(new Set(names(truth.admissible(40, 41)))).toEqual(new Set([B.name, C.name]));
    at(50, () => truth.list([{ feed: 'a' }]));
    expect(names(truth.admissible(51, 52))).toEqual([C.name]);
  });

  it('lets a cache keep a replaced version, and marks it', () => {
    const { truth, at } = timeline();
    at(10, () => truth.show('a', A));
    at(10, () => truth.list([{ feed: 'a', version: A }]));
    at(100, () => truth.list([{ feed: 'a', version: B }]));
    expect(truth.kept(100, 110, 50)).toMatchObject([
      { version: B, kept: false },
      { version: A, kept: true },
    ]);
    expect(names(truth.kept(151, 160, 50))).toEqual([B.name]);
  });

  it('admits an older row while the newest fails, but not for caches to keep', () => {
    const { truth, at } = timeline();
    const rows: readonly Row[] = [
      { feed: 'a', version: B },
      { feed: 'b', version: A },
    ];
    at(10, () => truth.show('a', B));
    at(10, () => truth.show('b', A));
    at(10, () => truth.list(rows));
    expect(names(truth.admissible(11, 12))).toEqual([B.name]);
    at(20, () => truth.show('a', B, { kind: 'status', status: 500 }));
    expect(truth.admissible(21, 22)).toMatchObject([{ version: B }, { version: A, outdated: true }]);
    at(30, () => truth.show('a', B));
    expect(names(truth.kept(31, 32, 5))).toEqual([B.name]);
  });
});
