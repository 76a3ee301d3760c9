import { describe, expect, it } from '@jest/globals';
import { map, Subject } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  type Head,
  type Note,
  type SourceEvent,
  type SourceHead,
  StreamError,
  stateOf,
  verify,
} from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { enforceLength } from '../../../pipelines/stages/attempts/enforce-length.ts';
import type { ResponseSoFar } from '../../../pipelines/stages/attempts/progress.ts';
import { resume } from '../../../pipelines/stages/attempts/resume.ts';
import { verifyBeforeHead } from '../../../pipelines/stages/attempts/verify-before-head.ts';
import { aLender } from '../../support/lender.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  bytesOf,
  chunk,
  entryOf,
  headOf,
  marbles,
  newDigest,
  sha256,
  sourceHead,
  textOf,
  untilEndOf,
} from '../../support/pipeline.ts';

const CHUNKS = { a: chunk('a'), b: chunk('b'), c: chunk('c'), d: chunk('d') };
const abc = aCandidate('feed', entryOf('abc'));
const bare = aCandidate('feed', anEntry());
const wrong = (
  code: 'WRONG_LENGTH' | 'TOO_LARGE' | 'SHORT_BODY' | 'WRONG_CHECKSUM' | 'CHANGED' | 'NO_RANGE',
  message: string,
  state?: string,
) => new StreamError(code, 'feed', `http://feed/bear.rpm ${message}`, { state });

describe('enforceLength', () => {
  const check = (
    candidate: Candidate,
    source: string,
    result: string,
    head = sourceHead({ length: 3 }),
    error?: StreamError,
    policy = aPolicy(),
  ) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const values: Record<string, SourceEvent> = { ...CHUNKS, h: head, w: chunk('cd'), C: chunk('c') };
      const events = cold(source, values);
      expectObservable(events.pipe(under(OPEN, enforceLength({ method: 'GET' }, candidate, { policy })))).toBe(
        result,
        values,
        error,
      );
      expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
    });

  it('passes a body of the announced length', () => check(bare, 'h-a-b-c-|', 'h-a-b-c-|'));
  it('fails a body that ends early', () =>
    check(bare, 'h-a-b-|', 'h-a-b-#', undefined, wrong('SHORT_BODY', 'ended after 2 of 3 bytes')));
  it("fails before the head if the length is not the catalog's", () =>
    check(
      aCandidate('feed', anEntry({ size: 4 })),
      'h-a-',
      '#',
      undefined,
      wrong('WRONG_LENGTH', 'has 3 bytes, but the catalog lists 4'),
    ));
  it("measures a body of unknown length by the catalog's", () =>
    check(
      aCandidate('feed', anEntry({ size: 4 })),
      'h-a-|',
      'h-a-#',
      sourceHead(),
      wrong('SHORT_BODY', 'ended after 1 of 4 bytes'),
    ));
  it('fails a body that runs on', () =>
    check(bare, 'h-a-b-w-', 'h-a-b-#', undefined, wrong('WRONG_LENGTH', 'sent more than the expected 3 bytes')));
  it('cuts a body that runs on if a checksum will judge it', () => check(abc, 'h-a-b-w-', 'h-a-b-(C|)'));
  it('cuts a body that runs on at a chunk border', () => check(abc, 'h-a-b-c-d-', 'h-a-b-c-|'));
  it('measures a later part by its position in the whole', () =>
    check(bare, 'h-c-|', 'h-c-|', sourceHead({ length: 3, from: 2 })));
  it('fails an encoded body whose end is certain, but which is shorter than the content', () => {
    const candidate = aCandidate('feed', entryOf('abc', { size: 3 }));
    const gzip = sourceHead({ headers: [['Content-Encoding', 'gzip']] });
    const chunked = { ...gzip, headers: [...gzip.headers, ['Transfer-Encoding', 'chunked'] as const] };
    const error = new StreamError(
      'WRONG_CODING',
      'feed',
      'http://feed/bear.rpm sent gzip unasked, and it is not the file itself',
      { state: stateOf(candidate, chunked) },
    );
    check(candidate, 'h-a-b-|', 'h-a-b-#', chunked, error);
    check(candidate, 'h-a-b-c-|', 'h-a-b-c-|', chunked);
    // One that ends with its connection may have broken off.
    check(candidate, 'h-a-b-|', 'h-a-b-#', gzip, wrong('SHORT_BODY', 'ended after 2 of 3 bytes'));
    // One that is not encoded is short, whatever its end says.
    const plain = sourceHead({ headers: [['Transfer-Encoding', 'chunked']] });
    check(candidate, 'h-a-b-|', 'h-a-b-#', plain, wrong('SHORT_BODY', 'ended after 2 of 3 bytes'));
  });
  it('fails content that exceeds the limit', () =>
    check(
      bare,
      'h-a-b-w-',
      'h-a-b-#',
      sourceHead(),
      wrong('TOO_LARGE', 'sent more than the limit of 3 bytes'),
      aPolicy({ sizeLimit: 3 }),
    ));
  it('passes any body of unknown length', () => check(bare, 'h-a-b-|', 'h-a-b-|', sourceHead()));
});

const START = { first: 0, whole: true };

describe('resume', () => {
  const resumed = (candidate: Candidate, sent: number): Note => ({
    type: 'resumed',
    candidate,
    from: sent,
  });
  const check = (
    soFar: ResponseSoFar,
    source: string,
    result: string,
    {
      head = sourceHead({ length: 3, from: 2 }),
      sent = 2,
      error,
      by = soFar.candidate,
    }: { head?: SourceEvent; sent?: number; error?: StreamError; by?: Candidate } = {},
  ) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { ...CHUNKS, h: head, w: chunk('bc'), n: resumed(by, sent) } as Record<string, SourceEvent | Note>;
      const events = cold(source, values as Record<string, SourceEvent>);
      expectObservable(events.pipe(under(OPEN, resume(by, soFar, { sent, undigested: false }, newDigest)))).toBe(
        result,
        values as Record<string, Chunk | Note>,
        error,
      );
      expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
    });
  const soFar = { ...START, candidate: abc, total: 3, etag: '"1"' };

  it('continues at the exact byte and drops the second head', () => check(soFar, '-h-c|', '-n-c|'));
  it('skips the bytes that the client has if the source starts over', () =>
    check(soFar, '-h-a-w-|', '-n---c-|', { head: sourceHead({ length: 3 }) }));
  it('skips whole chunks up to the border', () => check(soFar, 'habc|', 'n--c|', { head: sourceHead({ length: 3 }) }));
  it('has counted the skipped bytes before its consumer asks for more', () => {
    const source = new Subject<SourceEvent>();
    const got: string[] = [];
    source.pipe(under(OPEN, resume(abc, soFar, { sent: 1, undigested: false }, newDigest))).subscribe((event) => {
      if (event.type === 'chunk') got.push(textOf(event.bytes));
      if (got.length === 1) source.next(CHUNKS.c);
    });
    source.next(sourceHead({ length: 3 }));
    source.next(chunk('ab'));
    expect(got).toEqual(['b', 'c']);
  });
  it('refuses another length', () =>
    check(soFar, '-h-', '-#', {
      head: sourceHead({ length: 9, from: 2 }),
      error: wrong('WRONG_LENGTH', 'has 9 bytes, but 3 were promised'),
    }));
  it('accepts any length if none was promised', () =>
    check({ ...START, candidate: abc, etag: '"1"' }, '-h-c|', '-n-c|'));
  it('refuses another starting byte', () =>
    check(soFar, '-h-', '-#', {
      head: sourceHead({ length: 3, from: 1 }),
      error: wrong('NO_RANGE', 'starts at byte 1, not at 2'),
    }));
  it('refuses the same source with another entity tag, checksum or not', () =>
    check(soFar, '-h-', '-#', {
      head: sourceHead({ length: 3, from: 2, etag: '"2"' }),
      error: wrong('CHANGED', 'changed from "1" to "2"'),
    }));
  it('accepts another source with another entity tag if the checksum proves it', () =>
    check(soFar, '-h-c|', '-n-c|', {
      head: sourceHead({ length: 3, from: 2, etag: '"2"' }),
      by: aCandidate('other', entryOf('abc')),
    }));
  describe('bytes without a digest, because their source checked them', () => {
    /** `n` the note without a digest, `N` with that of the skipped bytes; letters the body. */
    const shown = (event: Chunk | Note): string => {
      if (event.type === 'chunk') return textOf(event.bytes);
      return event.type === 'resumed' && event.digest?.copy().hex() === sha256('ab') ? 'N' : 'n';
    };
    const checkUndigested = (source: string, result: string, head: SourceHead, error?: StreamError) =>
      marbles(({ cold, expectObservable }) => {
        const values: Record<string, SourceEvent> = { ...CHUNKS, h: head, w: chunk('bc') };
        expectObservable(
          cold(source, values).pipe(
            under(OPEN, resume(abc, soFar, { sent: 2, undigested: true }, newDigest)),
            map(shown),
          ),
        ).toBe(result, undefined, error);
      });

    it('are digested while the next source starts over', () => {
      checkUndigested('h-a-b-c---|', '------(Nc)|', sourceHead({ length: 3 }));
      checkUndigested('h-a-w-----|', '----(Nc)--|', sourceHead({ length: 3 }));
    });
    it('need none if the next source checks its bytes too', () =>
      checkUndigested('h-c|', 'n-c|', sourceHead({ length: 3, from: 2, checked: true })));
    it('cannot be continued by a source that starts in the middle', () =>
      checkUndigested(
        '-h-',
        '-#',
        sourceHead({ length: 3, from: 2 }),
        wrong('NO_RANGE', 'starts at byte 2, not at 0'),
      ));
  });

  describe('a part that another source continues', () => {
    const abcd = entryOf('abcd');
    const [first, other] = [aCandidate('feed', abcd), aCandidate('other', abcd)];
    const part = { candidate: first, first: 1, last: 2, total: 4, whole: false, etag: '"1"' };
    const checkPart = (
      [source, result]: readonly [string, string],
      from: number,
      {
        tail = 'b',
        error,
        by = other,
        sent = 1,
        soFar = part,
      }: {
        tail?: string;
        error?: [Parameters<typeof wrong>[0], string];
        by?: Candidate;
        sent?: number;
        soFar?: ResponseSoFar;
      } = {},
    ) =>
      marbles(({ cold, expectObservable }) => {
        const values: Record<string, SourceEvent> = {
          ...{ ...CHUNKS, w: chunk('bcd'), X: chunk('X') },
          h: sourceHead({ length: 4, from, ...(from > 0 && { last: 2 }) }),
        };
        const progress = { sent, undigested: false, ...(tail !== '' && { tail: bytesOf(tail) }) };
        expectObservable(cold(source, values).pipe(under(OPEN, resume(by, soFar, progress, newDigest)))).toBe(
          result,
          { ...CHUNKS, w: chunk('bc'), n: resumed(by, 1 + sent) },
          error && new StreamError(error[0], 'feed', `http://other/bear.rpm ${error[1]}`),
        );
      });

    it('goes on after its last bytes were repeated', () => checkPart(['h-b-c---|', '----(nc)|'], 1));
    it('goes on if the source starts over', () => {
      checkPart(['h-a-b-c-d', '------(nc|)'], 0);
      checkPart(['h-a-w', '----(nc|)'], 0);
    });
    it('goes on at its first byte, of which nothing was sent', () =>
      checkPart(['h-w---|', 'n-w---|'], 1, { tail: '', sent: 0 }));
    it('goes on at the same source without an entity tag if that repeats them', () => {
      const untagged = { ...part, etag: undefined };
      checkPart(['h-b-c---|', '----(nc)|'], 1, { soFar: untagged, by: first });
    });
    it('fails if the source has other bytes there', () => {
      const error: [Parameters<typeof wrong>[0], string] = [
        'CHANGED',
        'has other bytes than those that were already sent',
      ];
      checkPart(['h-X-c---|', '--#'], 1, { error });
      checkPart(['h-a-X-c-d', '----#'], 0, { error });
    });
    it('fails if the source does not begin with them', () =>
      checkPart(['h-c---|', '#'], 2, { error: ['NO_RANGE', 'starts at byte 2, not at 1'] }));
    it('fails if no bytes are known that it could repeat', () =>
      checkPart(['h-c---|', '#'], 2, {
        tail: '',
        error: ['CHANGED', 'cannot be proven to be the same content: neither checksum nor strong entity tag'],
      }));
  });

  it('refuses content without a checksum unless the strong entity tag is the same', () => {
    const message = 'cannot be proven to be the same content: neither checksum nor strong entity tag';
    check({ ...START, candidate: bare, total: 3, etag: '"1"' }, '-h-', '-#', { error: wrong('CHANGED', message) });
    check({ ...START, candidate: bare, total: 3 }, '-h-', '-#', {
      head: sourceHead({ from: 2, etag: '"1"' }),
      error: wrong('CHANGED', message),
    });
    check({ ...START, candidate: bare, total: 3, etag: '"1"' }, '-h-c|', '-n-c|', {
      head: sourceHead({ from: 2, length: 3, etag: '"1"' }),
    });
  });
});

describe('verify', () => {
  const check = (head: Head, source: string, result: string, error?: StreamError) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const failed = { type: 'failed', candidate: head.candidate, error, phase: 'mid-body' };
      const sent = [...source].filter((letter) => 'abcd'.includes(letter)).length;
      const values = { ...CHUNKS, 0: chunk(''), h: head, f: { ...failed, sent } } as Record<
        string,
        Head | Chunk | Note
      >;
      const events = cold(source, values);
      expectObservable(events.pipe(under(OPEN, verify({ method: 'GET' }, { newDigest: newDigest })))).toBe(
        result,
        values,
        error,
      );
      expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
    });

  it('holds the last chunk back until source and digest agree', () =>
    check(headOf(abc, { length: 3 }), 'h-a-b-c---|', 'h-a-b-----(c|)'));
  it('withholds the end of wrong content', () =>
    check(
      headOf(abc, { length: 3 }),
      'h-a-b-d---|',
      'h-a-b-----(f#)',
      wrong('WRONG_CHECKSUM', `has sha256 ${sha256('abd')}, but the catalog lists ${sha256('abc')}`),
    ));
  it('withholds the end of wrong content although a chunk without bytes follows', () =>
    check(
      headOf(abc, { length: 3 }),
      'h-a-b-d-0-|',
      'h-a-b-----(f#)',
      wrong('WRONG_CHECKSUM', `has sha256 ${sha256('abd')}, but the catalog lists ${sha256('abc')}`),
    ));
  it('holds every chunk until the next if the length is unknown', () =>
    check(headOf(abc), 'h-a-b-c---|', 'h---a-b---(c|)'));
  it('checks an empty body', () =>
    check(
      headOf(abc, { length: 0 }),
      'h---|',
      'h---(f#)',
      wrong('WRONG_CHECKSUM', `has sha256 ${sha256('')}, but the catalog lists ${sha256('abc')}`),
    ));
  it('drops the held chunk when the source fails', () =>
    check(headOf(abc, { length: 3 }), 'h-a-b-c---#', 'h-a-b-----#', 'error' as never));
  it('holds the end of content without a checksum until its source has ended', () =>
    check(headOf(bare, { length: 1 }), 'h-a---|', 'h-----(a|)'));
  it('digests no bytes that their source checked', () =>
    check(headOf(abc, { length: 3, checked: true }), 'h-a-b-d---|', 'h-a-b-----(d|)'));
  it('compares the digest that comes with a source that continues checked bytes', () => {
    const other = aCandidate('other', entryOf('abc'));
    const continued = (skipped: string, result: string) =>
      marbles(({ cold, expectObservable }) => {
        const digest = newDigest('sha256');
        digest.update(bytesOf(skipped));
        const found = sha256(`${skipped}c`);
        const error = new StreamError(
          'WRONG_CHECKSUM',
          'feed',
          `http://other/bear.rpm has sha256 ${found}, but the catalog lists ${sha256('abc')}`,
        );
        const values = {
          ...CHUNKS,
          h: headOf(abc, { length: 3, checked: true }),
          n: { type: 'resumed', candidate: other, from: 2, digest },
          f: { type: 'failed', candidate: other, error, phase: 'mid-body', sent: 3 },
        } as Record<string, Head | Chunk | Note>;
        const events = cold('h-a-b-n-c---|', values).pipe(under(OPEN, verify({ method: 'GET' }, { newDigest })));
        // The digest is used up in the meantime.
        expectObservable(events.pipe(map(withoutDigest))).toBe(
          result,
          Object.fromEntries(Object.entries(values).map(([letter, event]) => [letter, withoutDigest(event)])),
          error,
        );
      });
    const withoutDigest = (event: Head | Chunk | Note) => ({ ...event, digest: undefined });
    continued('ab', 'h-a-b-n-----(c|)');
    continued('xb', 'h-a-b-n-----(f#)');
  });
  it('passes content at once that was checked before its head', () =>
    check(headOf(abc, { length: 3, verified: true }), 'h-a-b-c---|', 'h-a-b-c---|'));
});

describe('verifyBeforeHead', () => {
  const check = (
    candidate: Candidate,
    limit: number,
    source: string,
    result: string,
    {
      length: announced = 3,
      unknown = false,
      error = undefined as StreamError | undefined,
      more = {} as Partial<SourceHead>,
    } = {},
  ) =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const length = unknown ? undefined : announced;
      const head = sourceHead({ length, ...more });
      const values: Record<string, SourceEvent> = { ...CHUNKS, h: head };
      const heads = {
        H: { ...head, length: announced, verified: true },
        M: { ...head, length: 3, verified: false },
        L: { ...head, verified: false, ...(candidate.entry.checksum && { state: stateOf(candidate, head) }) },
      };
      const events = cold(source, values);
      const deps = { newDigest, policy: aPolicy({ verifyWholeBelow: limit, verifyWholeWithin: 10 }) };
      expectObservable(events.pipe(under(OPEN, verifyBeforeHead({ method: 'GET' }, candidate, deps)))).toBe(
        result,
        { ...CHUNKS, ...heads } as never,
        error,
      );
      expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
    });
  const unknown = { unknown: true };
  const CHUNKED: Partial<SourceHead> = { headers: [['Transfer-Encoding', 'chunked']] };

  it('passes small content as a whole', () => check(abc, 3, 'h-a-b-c---|', '----------(Habc|)'));
  it('fails wrong small content before its head', () =>
    check(abc, 3, 'h-a-b-d---|', '----------#', {
      error: wrong(
        'WRONG_CHECKSUM',
        `has sha256 ${sha256('abd')}, but the catalog lists ${sha256('abc')}`,
        stateOf(abc, sourceHead({ length: 3 })),
      ),
    }));
  it('passes larger content at once', () => check(abc, 2, 'h-a-b-c---|', 'L-a-b-c---|'));
  it('passes content without a checksum at once', () => check(bare, 3, 'h-a-b-c---|', 'L-a-b-c---|'));
  it('passes a part at once', () => {
    check(abc, 9, 'h-a|', 'L-a|', { more: { last: 0 } });
    check(abc, 9, 'h-c---|', 'L-c---|', { more: { from: 2 } });
  });
  it('checks content of unknown length, and adds the length', () =>
    check(abc, 9, 'h-a-b-c---|', '----------(Habc|)', unknown));
  it('measures content without a checksum, too', () =>
    check(bare, 9, 'h-a-b-c---|', '----------(Mabc|)', { ...unknown, more: CHUNKED }));
  it('does not measure a body that ends with its connection, as it does if its source dies', () =>
    check(bare, 9, 'h-a-b-c---|', 'L-a-b-c---|', unknown));
  it('passes content once it exceeds the limit', () =>
    check(bare, 2, 'h-a-b-c-----|', '------(Labc)|', { ...unknown, more: CHUNKED }));
  it('passes content that is too slow, counted from its first byte', () => {
    check(abc, 9, 'h---------------a-b-c--|', '-----------------------(Habc|)', unknown);
    check(abc, 9, 'h-a----b----------c--|', '------------(Lab)-c--|', unknown);
    check(abc, 9, 'h-a----b----c-----|', '------------(Labc)|');
    check(abc, 9, 'h-a-----------------|', '------------(La)----|', unknown);
  });
  it('passes content whose end is missing, too', () => check(abc, 9, 'h-a-b--c----------|', '------------(Labc)|'));
  it('waits for the end of content that arrived in one piece', () =>
    check(aCandidate('feed', entryOf('a')), 9, 'h-a-------------|', '----------------(Ha|)', { length: 1 }));
  it('digests no bytes that their source checked, but waits for all of them', () => {
    const more = { checked: true };
    check(abc, 3, 'h-a-b-d---|', '----------(Habd|)', { more });
    check(abc, 3, 'h-a-b-#', '------#', { more });
    check(abc, 2, 'h-a-b-c---|', 'L-a-b-c---|', { more });
  });
  it('always checks an empty body before its head, which ends it', () =>
    check(abc, 0, 'h---|', '----#', {
      length: 0,
      error: wrong(
        'WRONG_CHECKSUM',
        `has sha256 ${sha256('')}, but the catalog lists ${sha256('abc')}`,
        stateOf(abc, sourceHead({ length: 0 })),
      ),
    }));
  it('drops the waiting chunks when the source fails', () => check(abc, 3, 'h-a-b-#', '------#'));
  it('holds the memory of waiting chunks until they pass, or nobody waits any more', () => {
    const { lend, held } = aLender();
    const start = (candidate: Candidate, limit: number) => {
      const deps = { newDigest, policy: aPolicy({ verifyWholeBelow: limit, verifyWholeWithin: 1_000_000 }) };
      const events = new Subject<SourceEvent>();
      const waiting = events
        .pipe(under(OPEN, verifyBeforeHead({ method: 'GET' }, candidate, deps)))
        .subscribe({ error: () => {} });
      events.next(sourceHead({ headers: [['Transfer-Encoding', 'chunked']] }));
      events.next(lend('a'));
      events.next(lend('b'));
      expect(held()).toBe(2);
      return { events, waiting };
    };
    start(abc, 9).waiting.unsubscribe();
    expect(held()).toBe(0);
    const right = start(abc, 9);
    right.events.next(lend('c'));
    right.events.complete();
    expect(held()).toBe(0);
    start(abc, 9).events.complete();
    expect(held()).toBe(0);
    const large = start(bare, 2);
    large.events.next(lend('c'));
    expect(held()).toBe(0);
    large.events.next(lend('d'));
    expect(held()).toBe(0);
  });
});
