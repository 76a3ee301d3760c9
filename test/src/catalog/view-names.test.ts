import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KeptRevision, Label } from '../../../src/catalog/history.ts';
import { describeKnown, isLabelName, readViewName, resolveView } from '../../../src/catalog/view-names.ts';
import { viewIn } from '../../../src/catalog/view-path.ts';

const key = { prefix: '/p', importerId: 'a'.repeat(24) };
const at = (time: string): number => Date.parse(time) / 1000;
const sizes = { packages: 1, metadata: 1 };
const revisions: readonly KeptRevision[] = [
  { ...key, ...sizes, revision: 3, published: at('2026-11-10T08:00:00Z'), superseded: at('2026-11-12T08:00:00Z') },
  // Those between are not kept.
  { ...key, ...sizes, revision: 7, published: at('2026-11-20T12:00:00Z'), superseded: at('2026-11-20T18:30:00.5Z') },
  { ...key, ...sizes, revision: 8, published: at('2026-11-20T18:30:00.5Z') },
];
const labels: readonly Label[] = [{ ...key, name: 'prod', revision: 3, moved: 1 }];
const now = Date.parse('2026-11-22T10:00:00Z');

const REASONS = [
  'expected latest, a label, a date (2026-11-20) or a time (2026-11-20T12:00:00Z), in UTC',
  'no label has this name',
  'it is in the future',
  'no revision of that time is kept',
];

const shown = (name: string): unknown => {
  const resolved = resolveView(name, { revisions, labels, now });
  if (resolved.kind === 'revisions')
    return [resolved.fixed ? 'fixed' : 'changing', ...resolved.revisions.map(({ revision }) => revision)];
  return resolved.kind === 'unknown' ? resolved.reason : resolved.kind;
};

describe('a view', () => {
  it.each([
    ['2026-11-10', ['fixed', 3]],
    ['2026-11-11', ['fixed', 3]],
    ['2026-11-12', 'no revision of that time is kept'],
    ['2026-11-15', 'no revision of that time is kept'],
    ['2026-11-19', 'no revision of that time is kept'],
    ['2026-11-20', ['fixed', 8]],
    ['2026-11-21', ['fixed', 8]],
    ['2026-11-22', 'present'],
    ['2026-11-23', 'it is in the future'],
    ['2026-11-20T11:59:59Z', 'no revision of that time is kept'],
    ['2026-11-20T12:00:00Z', ['fixed', 7]],
    ['2026-11-20T18:30:00.499Z', ['fixed', 7]],
    ['2026-11-20T18:30:00.5Z', ['fixed', 8]],
    ['2026-11-22T09:55:00Z', ['fixed', 8]],
    ['2026-11-22T09:55:01Z', ['changing', 8]],
    ['2026-11-22T10:00:00Z', ['changing', 8]],
    ['2026-11-22T10:00:01Z', 'it is in the future'],
    ['latest', 'present'],
    ['prod', ['changing', 3]],
    ['staging', 'no label has this name'],
  ])('%s shows %j', (name, expected) => expect(shown(name)).toEqual(expected));

  it.each([
    '',
    '7',
    '2026',
    '2026-11',
    '2026-11-31',
    '2026-02-29',
    '0000-00-00',
    '2026-11-20T25:00:00Z',
    '2026-11-20T12:00:00',
    '2026-11-20T12:00:00+01:00',
    '20261120',
    ' 2026-11-20',
    '-prod',
    'prod/x',
    'pröd',
    'a'.repeat(65),
    'prod\n',
  ])('has not the name %j', (name) => expect(readViewName(name)).toBeUndefined());

  it('of an exact moment is that of two importers', () => {
    const other = { ...key, ...sizes, importerId: 'b'.repeat(24), revision: 1, published: at('2026-11-11T00:00:00Z') };
    const resolved = resolveView('2026-11-11T12:00:00Z', { revisions: [...revisions, other], labels, now });
    expect(resolved).toMatchObject({ revisions: [{ revision: 3 }, other] });
  });

  it('of a moment that a clock passed twice is that of the last revision', () => {
    const again = { ...key, ...sizes, revision: 9, published: at('2026-11-11T00:00:00Z') };
    const resolved = resolveView('2026-11-11T12:00:00Z', { revisions: [...revisions, again], labels, now });
    expect(resolved).toEqual({ kind: 'revisions', revisions: [again], fixed: true });
  });

  it('is never both a label and a time, and never throws, whatever it is called', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[0-9T:.Z-]{0,30}$/),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(name, (text) => {
        const kind = readViewName(text)?.kind;
        if (isLabelName(text)) expect(kind).toBe('label');
        const resolved = resolveView(text, { revisions, labels, now });
        if (kind === undefined) expect(resolved.kind).toBe('unknown');
        // No message repeats what a client sent.
        if (resolved.kind === 'unknown') expect(REASONS).toContain(resolved.reason);
      }),
      { numRuns: 1000 },
    );
  });

  it('is one of few that a message lists', () => {
    const many = Array.from({ length: 30 }, (_, number) => ({ ...key, name: `l${number}`, revision: 3, moved: 1 }));
    expect(describeKnown({ revisions: [], labels: many })).toBe(
      `there is latest, the labels ${many
        .slice(-10)
        .map(({ name }) => name)
        .join(', ')} and 20 more`,
    );
    const [first, last] = [{ published: 0, superseded: 60 }, { published: 60 }].map((times, index) => ({
      ...{ ...key, revision: index + 1, packages: 1, metadata: 1 },
      ...times,
    }));
    expect(describeKnown({ revisions: [first, last].flatMap((one) => one ?? []), labels: [] })).toBe(
      'there is latest, revisions of 1970-01-01T00:00:00.000Z to 1970-01-01T00:01:00.000Z, 1970-01-01T00:01:00.000Z to now',
    );
  });
});

describe('a path', () => {
  const prefixes = new Set(['/p', '/a/b', '/npm/@scope', '']);
  const isPrefix = (prefix: string) => prefixes.has(prefix);
  it.each([
    ['/p@prod/x', { prefix: '/p', name: 'prod', rest: '/x' }],
    ['/p@prod', { prefix: '/p', name: 'prod', rest: '' }],
    ['/p@prod/', { prefix: '/p', name: 'prod', rest: '/' }],
    ['/p@/x', { prefix: '/p', name: '', rest: '/x' }],
    ['/a/b@2026-11-20/x@1/y', { prefix: '/a/b', name: '2026-11-20', rest: '/x@1/y' }],
    ['/npm/@scope@prod/x', { prefix: '/npm/@scope', name: 'prod', rest: '/x' }],
    ['/@prod/p', { prefix: '', name: 'prod', rest: '/p' }],
    ['/p/x@1/y', undefined],
    ['/p/@prod/y', undefined],
    ['/q@prod/x', undefined],
    ['/p/y', undefined],
    ['p@prod/x', undefined],
    ['@prod', undefined],
    ['/a@b@prod/x', undefined],
  ])('%s is of the view %j', (path, expected) => expect(viewIn(path, isPrefix)).toEqual(expected));

  it('with thousands of signs costs few looks', () => {
    let looks = 0;
    viewIn('/x@y'.repeat(5_000), () => {
      looks += 1;
      return false;
    });
    expect(looks).toBeLessThanOrEqual(16);
  });

  it('is put together of what was found, whatever it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[/@pabx.%-]{0,40}$/), (path) => {
        const found = viewIn(path, isPrefix);
        if (!found) return;
        expect(prefixes.has(found.prefix)).toBe(true);
        expect(`${found.prefix || '/'}@${found.name}${found.rest}`).toBe(path);
        expect(found.name).not.toMatch(/[@/]/);
        expect(found.rest).toMatch(/^(\/|$)/);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a day', () => {
  const MODULE = new URL('../../../src/catalog/view-names.ts', import.meta.url).href;
  // Two before the midnight of a zone and two after it, on days on which clocks go back and forth.
  const TIMES = [
    ...['2026-03-28T22:30:00Z', '2026-03-28T23:30:00Z', '2026-03-29T00:30:00Z', '2026-03-29T23:30:00Z'],
    ...['2026-10-24T21:30:00Z', '2026-10-24T22:30:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    ...['2026-10-25T22:30:00Z', '2026-10-25T23:30:00Z', '2026-10-26T00:30:00Z'],
  ];
  const NAMES = ['2026-03-28', '2026-03-29', '2026-10-24', '2026-10-25', '2026-10-25T01:00:00Z', '2026-10-26'];
  const SCRIPT = `
    const { resolveView } = await import(${JSON.stringify(MODULE)});
    const seconds = ${JSON.stringify(TIMES.map(at))};
    const revisions = seconds.map((published, index) => ({ prefix: '/p', importerId: 'a', revision: index, published,
      packages: 1, metadata: 1, superseded: seconds[index + 1] }));
    const shown = ${JSON.stringify(NAMES)}.map((name) => resolveView(name, { revisions, labels: [], now: Date.parse('2027-01-01T00:00:00Z') })
      .revisions.map(({ published }) => new Date(published * 1000).toISOString()));
    console.log(JSON.stringify([new Date(2026, 9, 25).getTimezoneOffset(), shown.flat()]));`;

  it.each([
    ['UTC', 0],
    ['Europe/Berlin', -120],
    ['America/New_York', 240],
    ['Pacific/Kiritimati', -840],
  ])('is one of UTC, with TZ=%s, also when summer time begins or ends', (TZ, offset) => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
      env: { ...process.env, TZ, NODE_NO_WARNINGS: '1' },
      encoding: 'utf8',
    });
    expect([stderr, JSON.parse(stdout)]).toEqual([
      '',
      [
        offset,
        [
          ...['2026-03-28T23:30:00.000Z', '2026-03-29T23:30:00.000Z', '2026-10-24T22:30:00.000Z'],
          ...['2026-10-25T23:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T00:30:00.000Z'],
        ],
      ],
    ]);
  });
});
