import { describe, expect, it } from '@jest/globals';
import type { Line } from './clients.ts';
import { ALONE, PULP } from './ends.ts';
import { type Happened, judge } from './judge.ts';
import type { SoakFile } from './plan.ts';

const CUT: Partial<Line> = { outcome: 'cut', status: 200, bytes: 10 };
const WRONG: Partial<Line> = { outcome: 'wrong', status: 200 };
const REFUSED: Partial<Line> = { outcome: 'refused', status: 502 };
const NO_CATALOG: Partial<Line> = { outcome: 'refused', status: 503, note: 'details="CATALOG_UNAVAILABLE"' };
const LATE: Partial<Line> = { ...NO_CATALOG, status: 504, note: 'details="ANSWER_TIMEOUT"' };
const PART: Partial<Line> = { asked: 'part', status: 206, fields: { Range: 'bytes=0-1' } };

type Case = readonly [what: string, line: Partial<Line>, file?: Partial<SoakFile>, happened?: Partial<Happened>];

const verdict = ([, line, file, happened]: Case) =>
  judge(
    { asked: 'whole', fields: {}, note: '', bytes: 0, began: 0, ended: 900, ...line } as Line,
    { kind: 'sized', sized: true, good: true, end: ALONE, urls: ['a'], ...file } as SoakFile,
    { killed: false, withoutDatabase: false, lies: 0, faults: 0, cuts: 0, ...happened },
  );

const BROKEN: readonly Case[] = [
  ['a wrong body', WRONG, {}, { lies: 1, killed: true }],
  ['a wrong body while the database is away', WRONG, { end: PULP }, { lies: 1, withoutDatabase: true }],
  ['a wrong part of small content', { ...WRONG, ...PART }, { kind: 'small' }, { lies: 1 }],
  ['a wrong body without a checksum, of a right source', WRONG, { kind: 'nothing' }],
  ['an error with a good source', REFUSED, {}, { faults: 1, lies: 1 }],
  ['a cut of small content', CUT, { kind: 'small' }, { lies: 1 }],
  ['a cut of slow small content without wrong content', { ...CUT, ended: 1_100 }, { kind: 'small' }, { faults: 1 }],
  ['a cut by what is not wrong content', CUT, {}, { faults: 1 }],
  ['a second cut by one wrong content', CUT, {}, { lies: 1, cuts: 1 }],
  ['a cut part of proven content, without wrong content', { ...CUT, ...PART }, {}, { faults: 1 }],
  ['a cut before the first byte', { ...CUT, bytes: 0 }, { kind: 'nothing' }, { faults: 1 }],
  ['a part cut before its first byte, without wrong content', { ...CUT, ...PART, bytes: 0 }, {}, { faults: 1 }],
  ['a whole cut before its first byte by wrong content', { ...CUT, bytes: 0 }, {}, { lies: 1 }],
  ['no catalog while the database is there', NO_CATALOG, { end: PULP }],
  ['a late catalog while the database is there', LATE, { end: PULP }],
  ['another error while the database is away', REFUSED, { end: PULP }, { withoutDatabase: true }],
  ['a cut from the only source while the database is away', CUT, { end: PULP }, { withoutDatabase: true }],
  ['silence', { outcome: 'hang' }],
];

const KEPT: readonly Case[] = [
  ['a right body', { outcome: 'right' }],
  ['a cut by a kill', CUT, {}, { killed: true }],
  ['a cut by wrong content', CUT, {}, { lies: 1 }],
  ['a cut by wrong content that came slowly', { ...CUT, ended: 1_100 }, { kind: 'small' }, { lies: 1 }],
  ['a cut part after wrong content', { ...CUT, ...PART }, {}, { lies: 1 }],
  ['a part cut before its first byte by wrong content', { ...CUT, ...PART, bytes: 0 }, {}, { lies: 1 }],
  ['a part cut with its head by wrong content', { ...CUT, ...PART, bytes: 0, status: 0 }, {}, { lies: 1 }],
  ['a cut of content without a checksum', CUT, { kind: 'nothing' }, { faults: 1 }],
  ['an error without a good source', REFUSED, { good: false }],
  ['no catalog while the database is away', NO_CATALOG, { end: PULP }, { withoutDatabase: true }],
  ['a late catalog while the database is away', LATE, { end: PULP }, { withoutDatabase: true }],
  ['no other source while the database is away', CUT, { end: PULP, urls: ['a', 'b'] }, { withoutDatabase: true }],
];

describe('the judge of the soak', () => {
  it.each(BROKEN)('condemns %s', (...one) => expect(verdict(one)).toHaveProperty('broken'));
  it.each(KEPT)('accepts %s', (...one) => expect(verdict(one)).not.toHaveProperty('broken'));
});
