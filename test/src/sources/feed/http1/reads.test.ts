import { describe, expect, it } from '@jest/globals';
import { SIZES } from '../../../../../src/lib/lent-buffers.ts';
import { lentReads } from '../../../../../src/sources/feed/http1/reads.ts';
import { holdMany } from '../../../../support/lender.ts';

/** A reader whose socket receives what the test says. */
const open = () => {
  const seen: string[] = [];
  const reader = { open: true, rests: false };
  const reads = lentReads({
    take: (bytes) => seen.push(bytes.toString()),
    wants: () => reader.open,
    gathers: () => false,
    rests: () => reader.rests,
    again: () => {},
  });
  const memory = () => {
    const { buffer } = reads.onread;
    return typeof buffer === 'function' ? buffer() : buffer;
  };
  const receive = (text: string) => {
    const length = Buffer.from(memory().buffer, memory().byteOffset).write(text);
    return reads.onread.callback(length, memory());
  };
  return { seen, reader, reads, memory, receive };
};

describe('lent reads', () => {
  it('hold no memory during a pause, and lose nothing after it', () => {
    const [one, other] = [open(), open()];
    expect(one.memory().buffer).not.toBe(other.memory().buffer);
    for (const { reader, receive } of [one, other]) {
      expect(receive('a')).toBe(true);
      reader.open = false;
      expect(receive('b')).toBe(false);
    }
    expect(one.memory().buffer).toBe(other.memory().buffer);
    for (const [text, { reader, receive }] of [['c', one] as const, ['d', other] as const]) {
      reader.open = true;
      expect(receive(text)).toBe(true);
      receive('e');
    }
    expect(one.memory().buffer).not.toBe(other.memory().buffer);
    expect([one.seen, other.seen]).toEqual([
      ['a', 'b', 'c', 'e'],
      ['a', 'b', 'd', 'e'],
    ]);
    for (const { reads } of [one, other]) reads.release();
  });

  it('hold little while no response is expected, and trust the next one no more than a new one', () => {
    const { reader, reads, memory } = open();
    const fill = () => reads.onread.callback(memory().length, memory());
    while (memory().length < SIZES[3]) fill();
    reader.rests = true;
    fill();
    expect(memory().buffer.byteLength).toBe(SIZES[2]);
    reader.rests = false;
    fill();
    expect(memory().length).toBe(SIZES[2]);
    reads.release();
  });

  it.each([1, SIZES[0] / 2, SIZES[0] / 2 + 1, SIZES[0]])(
    'hold half as much while many clients are slow, and lose nothing of %i bytes that were read before',
    (count) => {
      const { seen, reader, reads, memory, receive } = open();
      const pause = () => {
        reader.open = false;
        receive('a');
        reader.open = true;
      };
      pause();
      expect(memory().length).toBe(SIZES[0]);
      const giveBack = holdMany();
      receive('b'.repeat(count));
      receive('c');
      pause();
      expect(memory().length).toBe(SIZES[0] / 2);
      receive('d'.repeat(SIZES[0] / 2));
      receive('e');
      expect(seen).toEqual(['a', 'b'.repeat(count), 'c', 'a', 'd'.repeat(SIZES[0] / 2), 'e']);
      reads.release();
      giveBack();
    },
  );
});
