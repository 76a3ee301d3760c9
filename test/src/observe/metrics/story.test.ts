import { describe, expect, it } from '@jest/globals';
import { type AttemptReport, ERRORS, type ErrorCode, type Report } from '../../../../pipelines/model/index.ts';
import { storyOf } from '../../../../src/observe/metrics/story.ts';

const MARKS = {
  S: 'shared',
  B: 'behind',
  F: 'found',
  a: 'attempt',
  x: 'failed',
  h: 'head',
  r: 'resumed',
  b: 'first-byte',
  e: 'end',
} as const;

const failureOf = (code: string): NonNullable<AttemptReport['failure']> => {
  if (!Object.hasOwn(ERRORS, code)) throw new Error(`${code} is no code`);
  return { code: code as ErrorCode, message: '', phase: 'mid-body' };
};

const isMark = (letter: string): letter is keyof typeof MARKS => letter in MARKS;

/** A report whose timeline has a mark each millisecond, and whose attempts are `source` or `source CODE`. */
const reportOf = (marks: string, attempts: readonly string[], more: Partial<Report> = {}): Report => ({
  ...{ id: '', method: 'GET', path: '/a', outcome: 'complete', bytes: 1, duration: 1, pauses: 0, pausedFor: 0 },
  ...{ recorded: false, source: 'feed:a' },
  attempts: attempts.map((text): AttemptReport => {
    const [source = '', code] = text.split(' ');
    const attempt = { source, url: `http://${source}`, from: 0 };
    return code === undefined ? attempt : { ...attempt, failure: failureOf(code) };
  }),
  timeline: [...marks].filter(isMark).map((mark, at) => ({ at, what: MARKS[mark], detail: '' })),
  ...more,
});

const NOTHING = { shared: false, resumes: 0, failovers: 0, hedges: 0, attempts: [] };
const delivered = (source: string) => ({ source, outcome: 'delivered' });
const failed = (source: string, code: string) => ({ source, outcome: 'failed', code });
const abandoned = (source: string) => ({ source, outcome: 'abandoned' });

describe('the story of a request', () => {
  it.each<[string, string, string[], object, object]>([
    ['a plain one', 'Fahbe', ['feed:a'], {}, { found: 0, attempts: [delivered('feed:a')] }],
    ['from the catalog alone', 'e', [], { source: undefined }, {}],
    [
      'a failover before the head',
      'Faxahbe',
      ['alternate:d STALLED', 'feed:a'],
      {},
      { found: 0, failovers: 1, attempts: [failed('alternate:d', 'STALLED'), delivered('feed:a')] },
    ],
    [
      'a retry of the same source is no failover',
      'Faxahbe',
      ['feed:a SHORT_BODY', 'feed:a'],
      {},
      { found: 0, attempts: [failed('feed:a', 'SHORT_BODY'), delivered('feed:a')] },
    ],
    [
      'resumed at another source',
      'Fahbxarbe',
      ['feed:b CONNECTION_LOST', 'feed:a'],
      {},
      { found: 0, failovers: 1, resumes: 1, attempts: [failed('feed:b', 'CONNECTION_LOST'), delivered('feed:a')] },
    ],
    [
      'a hedge that won',
      'Faahbe',
      ['feed:b', 'feed:a'],
      {},
      { found: 0, hedges: 1, attempts: [abandoned('feed:b'), delivered('feed:a')] },
    ],
    ['left by its client', 'Fahbe', ['feed:a'], { outcome: 'left' }, { found: 0, attempts: [abandoned('feed:a')] }],
    [
      'wrong at the end',
      'Fahbe',
      ['feed:a'],
      { outcome: 'failed', error: { code: 'WRONG_CHECKSUM' } },
      { found: 0, attempts: [failed('feed:a', 'WRONG_CHECKSUM')] },
    ],
    ['shared: the attempts are of another request', 'SFaxahbe', ['feed:b STALLED', 'feed:a'], {}, { shared: true }],
    [
      'shared, then alone',
      'SFahbBFarbe',
      ['feed:a', 'feed:a'],
      {},
      { shared: true, found: 6, resumes: 1, attempts: [delivered('feed:a')] },
    ],
  ])('%s', (_, marks, attempts, more, expected) => {
    const { found, ...story } = storyOf(reportOf(marks, attempts, more));
    expect({ ...story, ...(found !== undefined && { found }) }).toEqual({ ...NOTHING, ...expected });
  });
});
