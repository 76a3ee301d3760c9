import { expect, it } from '@jest/globals';
import { sumBlocks } from '../../../../src/lib/block-sums.ts';
import { keyOf } from '../../../../src/saves/copies/names.ts';
import { describedCopy, descriptionOf, type KnownCopy, makeKnown } from '../../../../src/saves/objects/known.ts';
import { contentName, descriptionName, parseName } from '../../../../src/saves/objects/names.ts';
import { someBytes } from '../../../support/collect.ts';
import { anEntry } from '../../../support/pipeline.ts';
import { describing } from '../../../support/stores.ts';

const content = someBytes(200_000);
const entry = describing(content, { path: '/a/bear.rpm' });
const key = keyOf(entry);
const summer = sumBlocks();
summer.update(content);
const copy: Omit<KnownCopy, 'usedAt'> = {
  ...{ key, name: contentName(entry, key), headers: [['ETag', '"a"']], blocks: summer.sums(), etag: '"x"' },
  checksum: entry.checksum ?? { algorithm: 'sha256', value: '' },
};
const text = (changes: object = {}) => descriptionOf({ ...copy, ...changes }).toString();

it('a description is read as it was written', () => {
  expect(describedCopy(text(), 7, key, entry.checksum)).toEqual({ ...copy, usedAt: 7 });
});

it.each([
  ['of other content', text(), { algorithm: 'sha256', value: '0'.repeat(64) } as const],
  ['that was altered', text().replace('ETag', 'Etag'), undefined],
  ['that is not JSON', '<html>', undefined],
  ['that leads to another copy', text({ name: descriptionName(key).replace(/^../, 'zz') }), undefined],
  ['that leads to a description', text({ name: descriptionName(key) }), undefined],
  ['that leads out of the bucket’s names', text({ name: '../other.rpm' }), undefined],
  ['with a field that HTTP does not allow', text({ headers: [['Content-Type', 'a\r\nSet-Cookie: b']] }), undefined],
])('a description %s is no copy', (_, written, wanted) => {
  expect(describedCopy(written, 0, key, wanted)).toBeUndefined();
});

it('an absent copy is not looked for again for ten seconds, unless it was stored here', async () => {
  let now = 1000;
  const asked: string[] = [];
  const read = async (name: string) => void asked.push(name);
  const known = makeKnown({ read: read as never }, () => now);
  expect([known.isAbsent(key), await known.look(entry), known.isAbsent(key)]).toEqual([false, undefined, true]);
  now += 10_000;
  expect([known.isAbsent(key), asked]).toEqual([false, [descriptionName(key)]]);
  await known.look(entry);
  known.set({ ...copy, usedAt: now });
  expect([known.isAbsent(key), known.get(key)?.name]).toEqual([false, copy.name]);
});

it('names say what they are of, and those of other programs say nothing', () => {
  const bare = contentName(anEntry({ path: '/x.json' }), key);
  expect(parseName(copy.name)).toEqual({ key, isDescription: false, isBare: false });
  expect(parseName(descriptionName(key))).toEqual({ key, isDescription: true, isBare: false });
  expect(parseName(bare)).toEqual({ key, isDescription: false, isBare: true });
  for (const name of ['probe', 'ab/readme.txt', `${key}.rpm`, `../${copy.name}`])
    expect(parseName(name)).toBeUndefined();
});
