import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

const BUFFERS = '../../../src/lib/lent-buffers.ts';
type Buffers = typeof import('../../../src/lib/lent-buffers.ts');

const poison = process.env.POISON_LENT_BUFFERS;
delete process.env.POISON_LENT_BUFFERS;
const { bufferBytes, isMine, lend, lendable, levelFor, loanOf, SIZES } = (await import(
  `${BUFFERS}?as-in-use`
)) as Buffers;
process.env.POISON_LENT_BUFFERS = poison;
const poisoned = (await import(BUFFERS)) as Buffers;

describe('lent buffers', () => {
  beforeAll(() => {
    jest.useFakeTimers();
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it('have the size of their level', () => {
    for (const level of [0, 1, 2, 3] as const) {
      const buffer = lend(level);
      expect(buffer.length).toBe(SIZES[level]);
      loanOf(buffer)?.release();
    }
  });

  it('are lent again after their last release, and not before', () => {
    const one = lend(1);
    const part = one.subarray(10, 20);
    loanOf(part)?.retain();
    expect(isMine(one)).toBe(false);
    loanOf(one)?.release();
    expect(isMine(part)).toBe(true);
    const other = lend(1);
    expect(other.buffer).not.toBe(one.buffer);
    loanOf(part)?.release();
    const again = lend(1);
    expect(again.buffer).toBe(one.buffer);
    for (const buffer of [other, again]) loanOf(buffer)?.release();
  });

  it.each([0, 1, 2, 3] as const)(
    'of level %i have nothing as soon as they are released, as the tests demand',
    (level) => {
      const buffer = poisoned.lend(level);
      poisoned.loanOf(buffer)?.release();
      expect(buffer.length).toBe(0);
      const again = poisoned.lend(level);
      expect([again.buffer, again.length]).toEqual([buffer.buffer, SIZES[level]]);
      poisoned.loanOf(again)?.release();
    },
  );

  it('of the large sizes are few; then smaller ones are lent', () => {
    const all = Array.from({ length: 200 }, () => lend(3));
    const lengths = all.map(({ length }) => length);
    for (const [level, most] of [32, 16, 64].entries())
      expect(lengths.filter((length) => length === SIZES[3 - level]).length).toBeLessThanOrEqual(most);
    expect(lengths.at(-1)).toBe(SIZES[0]);
    const least = lend(3, SIZES[1]);
    expect(least.length).toBe(SIZES[1]);
    loanOf(least)?.release();
    for (const buffer of all) loanOf(buffer)?.release();
    const next = lend(3);
    expect(next.length).toBe(SIZES[3]);
    loanOf(next)?.release();
  });

  it('are of 8 KiB beyond 1,024 of 16 KiB; all are lent again, and if they are not needed, they go', () => {
    const half = SIZES[0] / 2;
    const lendMany = () => Array.from({ length: 2_000 }, () => lend(0));
    const release = (all: readonly Buffer[]) => {
      for (const buffer of all) loanOf(buffer)?.release();
    };
    expect(lendable(0)).toBe(SIZES[0]);
    const before = lendMany();
    expect(before.filter(({ length }) => length === SIZES[0])).toHaveLength(1_024);
    expect([before.at(-1)?.length, lendable(0), lendable(3)]).toEqual([half, half, SIZES[3]]);
    const whole = lend(0, half + 1);
    expect(whole.length).toBe(SIZES[0]);
    before.push(whole);
    release(before);
    const again = lendMany();
    const known = new Set(before.map(({ buffer }) => buffer));
    expect(again.every(({ buffer }) => known.has(buffer))).toBe(true);
    release(again);
    expect(bufferBytes().unused).toBeGreaterThanOrEqual(1_024 * SIZES[0] + 976 * half);
    expect(again.at(-1)?.buffer.byteLength).toBe(half);
    jest.advanceTimersByTime(2_000);
    expect(bufferBytes()).toMatchObject({ unused: 256 * SIZES[0] });
    expect(again.filter(({ buffer }) => buffer.byteLength > 0)).toHaveLength(256);
    jest.advanceTimersByTime(20_000);
    expect(bufferBytes()).toMatchObject({ unused: 0 });
  });

  it('of a limited size are lent beyond the limit if no smaller one will do, and dropped afterwards', () => {
    const all = Array.from({ length: 70 }, () => lend(1, SIZES[1]));
    expect(new Set(all.map(({ length }) => length))).toEqual(new Set([SIZES[1]]));
    const { unused } = bufferBytes();
    for (const buffer of all) loanOf(buffer)?.release();
    expect(bufferBytes().unused - unused).toBe(64 * SIZES[1]);
    expect(all.filter(({ buffer }) => buffer.byteLength === 0)).toHaveLength(6);
    jest.advanceTimersByTime(5_000);
  });

  it('give their memory back to the system if they are not needed, and have it again when they are lent', () => {
    const [used, left] = [lend(2), lend(2)];
    for (const buffer of [left, used]) loanOf(buffer)?.release();
    const { unused } = bufferBytes();
    jest.advanceTimersByTime(1_000);
    const again = lend(2);
    loanOf(again)?.release();
    jest.advanceTimersByTime(1_000);
    // The one that was needed in that second.
    expect([again.buffer, again.length, left.buffer.byteLength]).toEqual([used.buffer, SIZES[2], 0]);
    jest.advanceTimersByTime(2_000);
    expect([again.length, bufferBytes().unused <= unused - 2 * SIZES[2]]).toEqual([0, true]);
    const next = lend(2);
    expect([next.buffer, next.length]).toEqual([used.buffer, SIZES[2]]);
    loanOf(next)?.release();
  });

  it('are of the largest size only for a reader that took much without a pause', () => {
    expect([0, 8 * 1024 ** 2 - 1, 8 * 1024 ** 2].map(levelFor)).toEqual([2, 2, 3]);
  });

  it('have a loan, other memory has none', () => {
    expect(loanOf(Buffer.from('abc'))).toBeUndefined();
    expect(isMine(Buffer.from('abc'))).toBe(false);
  });
});
