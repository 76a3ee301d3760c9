import { describe, expect, it } from '@jest/globals';
import { traceContextOf } from '../../../src/lib/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const WELL = `00-${TRACE}-${PARENT}-01`;

describe('traceparent', () => {
  it.each([
    WELL,
    `00-${TRACE}-${PARENT}-00`,
    `00-${TRACE}-${PARENT}-ff`,
    // A later version, which may have more.
    `cc-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`,
  ])('%s counts', (traceparent) => {
    expect(traceContextOf(traceparent, undefined)).toEqual({ traceparent });
  });

  it.each([
    ['empty', ''],
    ['version ff', `ff-${TRACE}-${PARENT}-01`],
    ['more in version 00', `${WELL}-more`],
    ['a later version without a hyphen', `cc-${TRACE}-${PARENT}-01.more`],
    ['no trace id', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['no parent id', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', WELL.toUpperCase()],
    ['a trace id that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['a trace id that is too long', `00-${TRACE}0-${PARENT}-01`],
    ['letters beyond f', `00-${TRACE.replace('a', 'g')}-${PARENT}-01`],
    ['no flags', `00-${TRACE}-${PARENT}`],
    ['flags of one digit', `00-${TRACE}-${PARENT}-1`],
    ['a space at the beginning', ` ${WELL}`],
    ['two in one field', `${WELL}, ${WELL}`],
  ])('%s counts as absent, and tracestate with it', (_, traceparent) => {
    expect(traceContextOf(traceparent, 'a=1')).toEqual({});
  });

  it('counts as absent if it is repeated', () => {
    expect(traceContextOf([WELL, WELL], 'a=1')).toEqual({});
  });
});

describe('tracestate', () => {
  const of = (tracestate: string | readonly string[]) => traceContextOf(WELL, tracestate).tracestate;

  it.each([
    ['a=1', 'a=1'],
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['fw529a3039@dt=FfOb,0a=b', 'fw529a3039@dt=FfOb,0a=b'],
    ['a_-*/1=x', 'a_-*/1=x'],
    ['a=with a space', 'a=with a space'],
    [' a=1\t, \tb=2 ', 'a=1,b=2'],
    ['a=1,,b=2,', 'a=1,b=2'],
    [`${'k'.repeat(256)}=1`, `${'k'.repeat(256)}=1`],
    [`a=${'v'.repeat(256)}`, `a=${'v'.repeat(256)}`],
  ])('%s', (given, passed) => {
    expect(of(given)).toBe(passed);
  });

  it('may come in several fields', () => {
    expect(of(['a=1', 'b=2'])).toBe('a=1,b=2');
  });

  it.each([
    ['nothing', ''],
    ['no value', 'a='],
    ['no key', '=1'],
    ['no equals sign', 'a'],
    ['two of them', 'a=1=2'],
    ['an upper-case key', 'A=1'],
    ['a space in a key', 'a b=1'],
    ['a space before the sign', 'a =1'],
    ['two tenants', 'a@b@c=1'],
    ['a system of 15 characters', `a@${'b'.repeat(15)}=1`],
    ['a key of 257 characters', `${'k'.repeat(257)}=1`],
    ['a value of 257 characters', `a=${'v'.repeat(257)}`],
    ['a control character', 'a=\u0001b'],
    ['letters beyond ASCII', 'a=é'],
    ['a key twice', 'a=1,b=2,a=3'],
    ['33 members', Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
  ])('%s counts as absent, without traceparent', (_, tracestate) => {
    expect(traceContextOf(WELL, tracestate)).toEqual({ traceparent: WELL });
  });

  // Took minutes while each blank was tried as the first of those at the end.
  it('is read in one pass over blanks within', () =>
    expect(traceContextOf(WELL, `a=b${' '.repeat(2 ** 20)}c, d=1`)).toEqual({ traceparent: WELL }));

  it('of more than 512 characters loses its long members first, then the last ones', () => {
    const long = `long=${'x'.repeat(200)}`;
    const short = Array.from({ length: 30 }, (_, index) => `k${index}=${'y'.repeat(20)}`);
    const passed = of([short[0], long, ...short.slice(1)].join(',')) ?? '';
    expect(passed.length).toBeLessThanOrEqual(512);
    expect(passed.split(',')).toEqual(short.slice(0, passed.split(',').length));
    expect(passed.split(',').length).toBeGreaterThan(15);
  });
});
