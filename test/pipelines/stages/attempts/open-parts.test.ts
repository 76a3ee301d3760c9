import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { type AskedBytes, type SourceEvent, StreamError } from '../../../../pipelines/index.ts';
import type { Part } from '../../../../pipelines/model/index.ts';
import { openParts } from '../../../../pipelines/stages/attempts/open-parts.ts';
import { aCandidate, anEntry, chunk, entryOf, marbles, sourceHead, unpaused } from '../../../support/pipeline.ts';

/** `a` to `c`, `k` and `l`, and `x`. */
const PARTS: readonly [Part, ...Part[]] = [
  { first: 0, last: 2 },
  { first: 10, last: 11 },
  { first: 23, last: 23 },
];
/** So much that a request for each part costs less than the whole. */
const LARGE = 10_000_000;
const headAt = (more: object) => sourceHead({ length: LARGE, etag: '"1"', ...more });
const VALUES: Record<string, SourceEvent> = {
  p: headAt({ from: 0, last: 23, parts: PARTS }),
  q: headAt({ from: 11, last: 23, parts: PARTS.slice(1) }),
  w: headAt({ from: 0 }),
  s: sourceHead({ length: 1_000, etag: '"1"' }),
  '1': headAt({ from: 0, last: 2 }),
  '2': headAt({ from: 10, last: 11 }),
  '3': headAt({ from: 23, last: 23 }),
  y: headAt({ from: 10, last: 11, etag: '"2"' }),
  /** A part at another place. */
  z: headAt({ from: 9, last: 11 }),
  /** The parts of content that ends with them; the head of all. */
  i: headAt({ from: 0, last: 2, length: 24 }),
  j: headAt({ from: 10, last: 11, length: 24 }),
  e: headAt({ from: 23, length: 24 }),
  I: headAt({ from: 0, last: 5, length: 24 }),
  /** As much as the parts and three requests cost, and one byte more. */
  m: headAt({ from: 0, length: 6 + 3 * 256 * 1024 }),
  n: headAt({ from: 0, length: 7 + 3 * 256 * 1024 }),
  // Positions are those of the adjoined part.
  A: headAt({ from: 0, last: 5 }),
  R: headAt({ from: 4, last: 5 }),
  ...Object.fromEntries([...'abcklx'].map((letter) => [letter, chunk(letter)])),
};
const error = (code: 'NEEDS_WHOLE' | 'CHANGED' | 'NO_RANGE' | 'CONNECTION_LOST', what: string) =>
  new StreamError(code, 'feed', `http://feed/bear.rpm ${what}`);

/** Each source is opened when the one before it is left. */
const check = (
  sources: readonly (readonly [marbles: string, asked: string, open: string])[],
  result: string,
  {
    fails,
    source = error('NO_RANGE', 'answered 206'),
    from = 0,
    begins = from === 0,
    leaves,
    candidate = aCandidate('feed', anEntry()),
  }: Options = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const answers = sources.map(([marbles]) => cold(marbles, VALUES, source));
    const asked: string[] = [];
    const open = (_: unknown, { from, last, parts, ifRange }: AskedBytes) => {
      const set = parts?.map(({ first, last }) => `${first}-${last}`).join(',') ?? `${from}-${last}`;
      asked.push(ifRange === undefined ? set : `${set} if ${ifRange}`);
      return answers[asked.length - 1] ?? NEVER;
    };
    const events = openParts(candidate, { method: 'GET', from, last: 5 }, PARTS, unpaused(open), begins)(NEVER);
    expectObservable(events, leaves).toBe(result, VALUES, fails);
    for (const [index, [, , window]] of sources.entries())
      expectSubscriptions(answers[index]?.subscriptions ?? []).toBe(window);
    flush();
    expect(asked).toEqual(sources.map(([, asked]) => asked));
  });

interface Options {
  readonly fails?: StreamError;
  readonly source?: StreamError;
  readonly from?: number;
  /** Default: if the first byte is wanted. */
  readonly begins?: boolean;
  readonly leaves?: string;
  readonly candidate?: Parameters<typeof openParts>[0];
}

const ALL = '0-2,10-11,23-23';

describe('openParts', () => {
  it('asks a feed for all parts at once, and counts their bytes like those of one part', () =>
    check([['-p-a-b-c-k-l-x-|', ALL, '^--------------!']], '-A-a-b-c-k-l-x-|'));

  it('asks for one after the other if the feed does not send them at once', () =>
    check(
      [
        ['-w-a', ALL, '^!'],
        ['-1-a-b-c-|', '0-2', '-^--------!'],
        ['-2-k-l-|', '10-11 if "1"', '----------^------!'],
        ['-3-x-|', '23-23 if "1"', '-----------------^----!'],
      ],
      '--A-a-b-c----k-l----x-|',
    ));

  it('asks for one after the other if the feed refuses them', () =>
    check(
      [
        ['-#', ALL, '^!'],
        ['-1-a|', '0-2', '-^---!'],
        ['-2-k|', '10-11 if "1"', '-----^---!'],
        ['-3-x|', '23-23 if "1"', '---------^---!'],
      ],
      '--A-a---k---x|',
    ));

  it('takes the whole if that costs less than a request for each part', () =>
    check([['-s-a', ALL, '^!']], '-#', {
      fails: error('NEEDS_WHOLE', 'sends no 3 parts at once, and has only 1000 bytes'),
    }));

  it('takes the whole if it costs the same', () => {
    check([['-m-a', ALL, '^!']], '-#', {
      fails: error('NEEDS_WHOLE', 'sends no 3 parts at once, and has only 786438 bytes'),
    });
    check(
      [
        ['-n-a', ALL, '^!'],
        ['-1-a', '0-2', '-^---!'],
      ],
      '--A-a',
      { leaves: '^----!' },
    );
  });

  it('takes a part for one that ends with the content', () =>
    check(
      [
        ['-#', ALL, '^!'],
        ['-i-a|', '0-2', '-^---!'],
        ['-j-k|', '10-11 if "1"', '-----^---!'],
        ['-e-x|', '23-23 if "1"', '---------^---!'],
      ],
      '--I-a---k---x|',
    ));

  it('refuses a part that begins elsewhere', () =>
    check(
      [
        ['-#', ALL, '^!'],
        ['-1-a|', '0-2', '-^---!'],
        ['-z-k|', '10-11 if "1"', '-----^!'],
      ],
      '--A-a-#',
      { fails: error('CHANGED', 'sends the whole instead of a part') },
    ));

  it('takes the whole if the feed ignores ranges', () =>
    check(
      [
        ['-w-a', ALL, '^!'],
        ['-w-a', '0-2', '-^!'],
      ],
      '--#',
      { fails: error('NEEDS_WHOLE', 'sends the whole instead of a part') },
    ));

  it('never joins parts of different states', () =>
    check(
      [
        ['-#', ALL, '^!'],
        ['-1-a|', '0-2', '-^---!'],
        ['-y-k|', '10-11 if "1"', '-----^!'],
      ],
      '--A-a-#',
      { fails: error('CHANGED', 'changed between two parts') },
    ));

  it('never begins the whole after a part, so that another source can continue', () =>
    check(
      [
        ['-#', ALL, '^!'],
        ['-1-a|', '0-2', '-^---!'],
        ['-w-a', '10-11 if "1"', '-----^!'],
      ],
      '--A-a-#',
      { fails: error('CHANGED', 'sends the whole instead of a part') },
    ));

  it('continues at any byte of the parts, and then never with the whole', () => {
    check([['-q-l-x-|', '11-11,23-23', '^------!']], '-R-l-x-|', { from: 4 });
    check(
      [
        ['-s', '11-11,23-23', '^!'],
        ['-s', '11-11', '-^!'],
      ],
      '--#',
      { from: 4, fails: error('CHANGED', 'sends the whole instead of a part') },
    );
  });

  it('passes other errors on', () => {
    const lost = error('CONNECTION_LOST', 'is gone');
    check([['-#', ALL, '^!']], '-#', { source: lost, fails: lost });
    check([['-p-a-#', ALL, '^----!']], '-A-a-#', { source: lost, fails: lost });
    // Once the feed has accepted the parts, it cannot refuse them.
    const refusal = error('NO_RANGE', 'answered 206');
    check([['-p-a-#', ALL, '^----!']], '-A-a-#', { source: refusal, fails: refusal });
  });

  it('reads a file part by part', () => {
    const candidate = { ...aCandidate('saved', entryOf('')), url: 'file:///a' };
    check(
      [
        ['1a|', '0-2', '^-!'],
        ['2k|', '10-11 if "1"', '--^-!'],
        ['3x|', '23-23 if "1"', '----^-!'],
      ],
      'Aa-k-x|',
      { candidate },
    );
  });

  it('leaves the source with its consumer', () => check([['-p-a-b', ALL, '^---!']], '-A-a', { leaves: '^---!' }));
});
