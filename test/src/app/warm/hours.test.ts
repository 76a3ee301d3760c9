import { describe, expect, it } from '@jest/globals';
import { isWithin } from '../../../../src/app/warm/hours.ts';
import { hours } from '../../../../src/config/kinds.ts';

const at = (hour: number, minute = 0) => new Date(2026, 10, 28, hour, minute);
const within = (text: string, time: Date) => isWithin(hours.read(text) ?? [], time);

describe('Hours of the day', () => {
  it.each([
    ['01:00-05:00', at(0, 59), false],
    ['01:00-05:00', at(1), true],
    ['01:00-05:00', at(4, 59), true],
    ['01:00-05:00', at(5), false],
    ['22:30-06:00', at(22, 29), false],
    ['22:30-06:00', at(22, 30), true],
    ['22:30-06:00', at(0), true],
    ['22:30-06:00', at(6), false],
    ['12:00-13:00, 1:00-5:00', at(12, 30), true],
    ['20:00-24:00', at(23, 59), true],
    ['', at(12), true],
  ])('%j at %s: %j', (text, time, expected) => {
    expect(within(text, time)).toBe(expected);
  });

  it.each(['1-5', '01:00', '25:00-26:00', '01:60-02:00', '01:00-01:00', '24:00-01:00', '01:00-05:00,', 'night'])(
    'are not %j',
    (text) => {
      expect(hours.read(text)).toBeUndefined();
    },
  );

  it('are written as they can be read', () => {
    expect(hours.format(hours.read('1:05-5:00,22:30-24:00') ?? [])).toBe('01:05-05:00, 22:30-24:00');
  });
});
