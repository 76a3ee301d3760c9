import { describe, expect, it } from '@jest/globals';
import { concat, from, of, throwError } from 'rxjs';
import {
  type ByteRange,
  type Candidate,
  type CatalogEntry,
  type Conditions,
  field,
  type Head,
  type Location,
  type Report,
  type SaveRequest,
  type SourceEvent,
  type SourceHead,
  StreamError,
  type StreamRequest,
} from '../../pipelines/index.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  bytesOf,
  entryOf,
  fetched,
  inTurn,
  nameAt,
  newDigest,
  sha256,
  sourceHead,
  textOf,
  type Unpaused,
  unpaused,
} from '../support/pipeline.ts';

const CONTENT = 'abcdefghij';
const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const entry = entryOf(CONTENT);
const bare = anEntry();

/** The fields of a source about the state of its content. */
const head = (more: Partial<SourceHead> = {}): SourceHead =>
  sourceHead({
    length: CONTENT.length,
    etag: '"1"',
    headers: [
      ['ETag', '"1"'],
      ['Last-Modified', MODIFIED],
      ['Content-Type', 'text/plain'],
    ],
    ...more,
  });

const letters = (text: string): SourceEvent[] => [...text].map((letter) => ({ type: 'chunk', bytes: bytesOf(letter) }));

/** A source that honours ranges; `ignoresRange`: one that ignores them. */
const sourceOfRanges = (ignoresRange = false) => {
  const asked: string[] = [];
  const open = (location: Location, ask: { method: string; from: number; last?: number; ifRange?: string }) => {
    const { method, from, last, ifRange } = ask;
    asked.push([method, nameAt(location), from, last, ifRange].filter((part) => part !== undefined).join(' '));
    if (method === 'HEAD') return of<SourceEvent>(head());
    if (ignoresRange || (ifRange !== undefined && ifRange !== '"1"' && ifRange !== MODIFIED))
      return of(head(), ...letters(CONTENT));
    const first = from < 0 ? Math.max(0, CONTENT.length + from) : from;
    const end = Math.min(last ?? CONTENT.length - 1, CONTENT.length - 1);
    if (first > end)
      throw new StreamError('UNSATISFIABLE', 'feed', `${nameAt(location)} has only 10 bytes`, { length: 10 });
    return of(head({ from: first, last: end }), ...letters(CONTENT.slice(first, end + 1)));
  };
  return { asked, open };
};

interface Options {
  readonly entry?: CatalogEntry | readonly CatalogEntry[];
  readonly ignoresRange?: boolean;
  readonly open?: Unpaused;
  readonly sources?: readonly string[];
  /** Default: no content is small. */
  readonly verifyWholeBelow?: number;
}

/** Runs a request to its end and returns the response that its client received. */
const ask = (
  request: Partial<StreamRequest>,
  { entry: known = entry, ignoresRange, open, sources = ['a'], verifyWholeBelow = 0 }: Options = {},
) => {
  const source = sourceOfRanges(ignoresRange);
  const saves: SaveRequest[] = [];
  let first: Head | undefined;
  let body = '';
  let error: StreamError | undefined;
  let report: Report | undefined;
  fetched(request, {
    catalog: { lookup: () => from([known].flat()) },
    sources: sources.map((name) => (entry) => of(aCandidate(name, entry))),
    open: unpaused(open ?? source.open),
    newDigest,
    policy: aPolicy({ verifyWholeBelow }),
    random: () => 1,
    outbox: { append: (save) => saves.push(save) },
    report: (reported) => {
      report = reported;
    },
  }).subscribe({
    next: (event) => {
      if (event.type === 'head') first = event;
      if (event.type === 'chunk') body += textOf(event.bytes);
    },
    error: (thrown) => {
      error = thrown as StreamError;
    },
  });
  const fieldOf = (name: string) => field(first?.headers ?? [], name);
  return {
    head: first,
    status: first?.status,
    length: first?.length,
    field: fieldOf,
    body,
    error,
    saves,
    report,
    asked: source.asked,
  };
};

const one = (first: number, last?: number): Partial<StreamRequest> => ({ ranges: [{ first, last }] });

describe('one range', () => {
  it.each<readonly [range: ByteRange, body: string, contentRange: string, asked: string]>([
    [{ first: 2, last: 4 }, 'cde', 'bytes 2-4/10', 'GET a 2 4'],
    [{ first: 0, last: 0 }, 'a', 'bytes 0-0/10', 'GET a 0 0'],
    [{ first: 7 }, 'hij', 'bytes 7-9/10', 'GET a 7'],
    [{ first: 7, last: 99 }, 'hij', 'bytes 7-9/10', 'GET a 7 99'],
    [{ first: -3 }, 'hij', 'bytes 7-9/10', 'GET a -3'],
    [{ first: -99 }, CONTENT, 'bytes 0-9/10', 'GET a -99'],
  ])('%j is %s', (range, body, contentRange, asked) => {
    const answer = ask({ ranges: [range] });
    expect(answer).toMatchObject({ status: 206, body, length: body.length, asked: [asked] });
    expect(answer.field('content-range')).toBe(contentRange);
    // A source that ignores the range is cut.
    expect(ask({ ranges: [range] }, { ignoresRange: true })).toMatchObject({ status: 206, body, length: body.length });
  });

  it('is neither verified nor saved, unless it is the whole', () => {
    const part = ask(one(2, 4));
    expect(part).toMatchObject({ saves: [], report: { verified: undefined, recorded: false, outcome: 'complete' } });
    const whole = ask(one(0));
    expect(whole).toMatchObject({ status: 206, report: { verified: 'sha256', recorded: true } });
    const wrong = ask(one(0), { verifyWholeBelow: 100, open: () => of(head(), ...letters('abcdefghiX')) });
    expect(wrong).toMatchObject({ head: undefined, body: '', error: { code: 'WRONG_CHECKSUM' } });
  });

  it('beyond the content is 416, with the length', () => {
    expect(ask(one(10))).toMatchObject({ head: undefined, error: { code: 'UNSATISFIABLE', length: 10 } });
    expect(ask(one(10), { ignoresRange: true })).toMatchObject({
      head: undefined,
      error: { code: 'UNSATISFIABLE', length: 10 },
    });
    // If the catalog has the size, the sources are not asked.
    const known = ask(one(10), { entry: entryOf(CONTENT, { size: 10 }) });
    expect(known).toMatchObject({ error: { code: 'UNSATISFIABLE', length: 10 }, asked: [] });
  });

  it('beyond one source may come from another', () => {
    const short = sourceHead({ length: 3 });
    const open = inTurn<SourceEvent>(of(short, ...letters('abc')), of(head({ from: 5 }), ...letters('fghij')));
    expect(ask(one(5), { open, sources: ['short', 'good'] })).toMatchObject({ status: 206, body: 'fghij' });
  });

  it('is ignored for HEAD, and for content of unknown length that is too large to hold', () => {
    expect(ask({ ...one(2, 4), method: 'HEAD' })).toMatchObject({ status: 200, length: 10, asked: ['HEAD a 0'] });
    const unmeasured =
      (content: string): Unpaused =>
      (_, { method }) =>
        method === 'HEAD' ? of(sourceHead()) : of(sourceHead(), ...letters(content));
    const long = CONTENT.repeat(11);
    expect(ask(one(-3), { verifyWholeBelow: 100, entry: entryOf(long), open: unmeasured(long) })).toMatchObject({
      status: 200,
      body: long,
    });
    expect(ask(one(-3), { verifyWholeBelow: 100, open: unmeasured(CONTENT) })).toMatchObject({
      status: 206,
      body: 'hij',
    });
  });

  const dies = (from: number, sent: string, more: Partial<SourceHead> = {}) =>
    concat(
      of(head({ from, last: 6, ...more }), ...letters(sent)),
      throwError(() => new StreamError('CONNECTION_LOST', 'feed', 'lost')),
    );

  it('continues at the exact byte from the same source with the same strong entity tag', () => {
    const asked: unknown[] = [];
    const answers = inTurn<SourceEvent>(dies(2, 'cd'), of(head({ from: 4, last: 6 }), ...letters('efg')));
    const open: Unpaused = (_, { from, last, ifRange }) => {
      asked.push([from, last, ifRange]);
      return answers();
    };
    expect(ask(one(2, 6), { open })).toMatchObject({ status: 206, body: 'cdefg', error: undefined });
    expect(asked).toEqual([
      [2, 6, undefined],
      [4, 6, '"1"'],
    ]);
  });

  it.each<readonly [why: string, first: Partial<SourceHead>, second: Partial<SourceHead>]>([
    ['has no strong entity tag', { etag: undefined }, {}],
    ['has another entity tag afterwards', {}, { etag: '"2"' }],
  ])('fails mid-body if its source %s, since nothing can verify the rest', (_, first, second) => {
    const open = inTurn<SourceEvent>(
      dies(2, 'cd', first),
      of(head({ from: 4, last: 6, ...second }), ...letters('efg')),
    );
    const answer = ask(one(2, 6), { open, sources: ['a', 'b'] });
    expect(answer).toMatchObject({ status: 206, body: 'cd' });
    expect(answer.error).toBeInstanceOf(StreamError);
  });
});

describe('conditions', () => {
  const TAG = `"${sha256(CONTENT)}"`;
  const later = Date.parse(MODIFIED) + 1000;
  const earlier = Date.parse(MODIFIED) - 1000;

  it.each<readonly [conditions: Conditions, status: number]>([
    [{ ifNoneMatch: [TAG] }, 304],
    [{ ifNoneMatch: ['"x"', `W/${TAG}`] }, 304],
    [{ ifNoneMatch: ['*'] }, 304],
    [{ ifNoneMatch: [TAG], ifModifiedSince: earlier }, 304],
    [{ ifMatch: ['"x"'] }, 412],
    [{ ifMatch: [`W/${TAG}`] }, 412],
    [{ ifMatch: [] }, 412],
    [{ ifMatch: ['"x"'], ifUnmodifiedSince: later }, 412],
    [{ ifMatch: [TAG], ifNoneMatch: [TAG] }, 304],
  ])('%j are %i from the catalog’s checksum', (conditions, status) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = ask({ conditions, method });
      expect(answer).toMatchObject({ status, body: '', asked: [], saves: [], error: undefined });
      expect(answer.field('etag')).toBe(status === 304 ? TAG : undefined);
      expect(answer.field('cache-control')).toMatch(status === 304 ? /max-age=86400/ : /no-store/);
    }
  });

  it.each<readonly [conditions: Conditions, status: number, known?: CatalogEntry]>([
    [{ ifModifiedSince: Date.parse(MODIFIED) }, 304],
    [{ ifModifiedSince: earlier }, 200],
    [{ ifModifiedSince: later }, 200],
    [{ ifModifiedSince: Date.parse(MODIFIED) }, 200, { ...entry, replaced: true }],
    [{ ifUnmodifiedSince: earlier }, 412],
    [{ ifUnmodifiedSince: later }, 200],
    [{ ifUnmodifiedSince: later, ifNoneMatch: [TAG] }, 304],
    [{ ifNoneMatch: ['"1"'] }, 304, bare],
    [{ ifNoneMatch: ['"2"'], ifModifiedSince: later }, 200, bare],
    [{ ifMatch: ['"1"'] }, 200, bare],
    [{ ifMatch: ['"2"'] }, 412, bare],
    [{ ifMatch: [TAG] }, 200],
    [{ ifNoneMatch: ['"x"'] }, 200],
  ])('%j are %i from the source’s fields', (conditions, status, known = entry) => {
    const answer = ask({ conditions }, { entry: known });
    expect(answer).toMatchObject({ status, body: status === 200 ? CONTENT : '', error: undefined });
    expect(answer.asked).toHaveLength(1);
    if (status === 304) expect(answer.field('last-modified')).toBe(MODIFIED);
  });

  it.each<readonly [what: string, known: CatalogEntry, request: Partial<StreamRequest>, verifyWholeBelow: number]>([
    ['content', entryOf(CONTENT, { size: 10 }), {}, 0],
    ['content of unknown length', entry, {}, 0],
    ['small content', entryOf(CONTENT, { size: 10 }), {}, 100],
    ['small content of unknown length', entry, {}, 100],
    ['content without checksum', bare, {}, 0],
    ['a part', entryOf(CONTENT, { size: 10 }), one(2, 4), 0],
    ['a head', entry, { method: 'HEAD' }, 0],
  ])('cost no body of %s if the source has no newer one', (_, entry, request, verifyWholeBelow) => {
    const asked: string[] = [];
    const open: Unpaused = (_, { method, unless }) => {
      asked.push(`${method} ${JSON.stringify(unless)}`);
      return of(sourceHead({ status: 304, headers: [['Last-Modified', MODIFIED]] }));
    };
    const conditions = { ifModifiedSince: Date.parse(MODIFIED) };
    const answer = ask({ ...request, conditions }, { entry, open, verifyWholeBelow });
    expect(answer).toMatchObject({ status: 304, body: '', error: undefined });
    expect(asked).toEqual([`${request.method ?? 'GET'} {"modifiedSince":${conditions.ifModifiedSince}}`]);
  });

  it.each<readonly [ifRange: string, status: number, asked: string, known?: CatalogEntry]>([
    [TAG, 206, 'GET a 2 4'],
    ['"old"', 200, 'GET a 0'],
    [`W/${TAG}`, 200, 'GET a 0'],
    [MODIFIED, 206, `GET a 2 4 ${MODIFIED}`],
    ['Thu, 01 Jan 2025 00:00:00 GMT', 200, 'GET a 2 4 Thu, 01 Jan 2025 00:00:00 GMT'],
    ['"1"', 206, 'GET a 2 4 "1"', bare],
    [MODIFIED, 200, 'GET a 0', { ...entry, replaced: true }],
    [MODIFIED, 200, 'GET a 0', { ...bare, replaced: true }],
    [TAG, 206, 'GET a 2 4', { ...entry, replaced: true }],
    ['"old"', 200, 'GET a 2 4 "old"', bare],
  ])('If-Range: %s leads to %i', (ifRange, status, asked, known = entry) => {
    const answer = ask({ ...one(2, 4), conditions: { ifRange } }, { entry: known });
    expect(answer).toMatchObject({ status, body: status === 206 ? 'cde' : CONTENT, asked: [asked] });
    // A source that ignores Range sends the same whole in either case.
    const whole = ask({ ...one(2, 4), conditions: { ifRange } }, { entry: known, ignoresRange: true });
    expect(whole).toMatchObject({ status, body: status === 206 ? 'cde' : CONTENT });
  });

  it('come before the range', () => {
    const known = entryOf(CONTENT, { size: 10 });
    expect(ask({ ...one(99), conditions: { ifNoneMatch: [TAG] } }, { entry: known })).toMatchObject({ status: 304 });
  });
});

describe('several ranges', () => {
  const ranges = (...all: readonly [first: number, last?: number][]): Partial<StreamRequest> => ({
    ranges: all.map(([first, last]) => ({ first, last })),
  });

  it('are one body of parts, in their order, of the announced length', () => {
    const answer = ask(ranges([7], [0, 1], [-1]));
    expect(answer.status).toBe(206);
    expect(answer.field('content-type')).toBe('multipart/byteranges; boundary=pulp-streamer-request-1');
    expect(answer.field('content-range')).toBeUndefined();
    expect(answer.length).toBe(answer.body.length);
  });

  it('are ignored for HEAD', () =>
    expect(ask({ ...ranges([0, 1], [5, 6]), method: 'HEAD' })).toMatchObject({
      ...{ status: 200, length: 10, asked: ['HEAD a 0'] },
    }));

  it('each have their own type and position', () => {
    const answer = ask(ranges([7, 8], [0, 1]));
    expect(answer.body).toBe(
      [
        '',
        '--pulp-streamer-request-1',
        'Content-Type: text/plain',
        'Content-Range: bytes 7-8/10',
        '',
        'hi',
        '--pulp-streamer-request-1',
        'Content-Type: text/plain',
        'Content-Range: bytes 0-1/10',
        '',
        'ab',
        '--pulp-streamer-request-1--',
        '',
      ].join('\r\n'),
    );
    expect(answer.asked).toEqual(['HEAD a 0', 'GET a 7 8', 'GET a 0 1']);
    expect(answer).toMatchObject({ length: answer.body.length, saves: [], report: { outcome: 'complete' } });
  });

  it('that overlap or touch are joined', () => {
    expect(ask(ranges([5, 7], [2, 5], [8, 8]))).toMatchObject({ status: 206, body: 'cdefghi', length: 7 });
  });

  it('beyond the content are left out; if all are, the answer is 416', () => {
    const answer = ask(ranges([2, 3], [10]));
    expect(answer).toMatchObject({ status: 206, body: 'cd' });
    expect(answer.field('content-range')).toBe('bytes 2-3/10');
    expect(ask(ranges([10], [99]))).toMatchObject({
      head: undefined,
      error: { code: 'UNSATISFIABLE', message: 'http://a/bear.rpm has only 10 bytes', length: 10 },
    });
  });

  it('are subject to conditions, like a single range', () => {
    const conditions = { ifNoneMatch: [`"${sha256(CONTENT)}"`] };
    expect(ask({ ...ranges([0, 1], [3, 4]), conditions })).toMatchObject({ status: 304, asked: [] });
    const unchanged = { ...ranges([0, 1], [3, 4]), conditions: { ifNoneMatch: ['"1"'] } };
    expect(ask(unchanged, { entry: bare })).toMatchObject({ status: 304, asked: ['HEAD a 0'] });
    const present = ask({ ...ranges([0, 1], [3, 4]), conditions: { ifRange: '"1"' } }, { entry: bare });
    expect(present).toMatchObject({ status: 206, length: present.body.length });
    const outdated = { ifRange: '"old"' };
    expect(ask({ ...ranges([0, 1], [3, 4]), conditions: outdated })).toMatchObject({ status: 200, body: CONTENT });
  });

  it('of content that changes in between end in an error, not in a mixture', () => {
    const changed = head({ from: 0, last: 1, headers: [['ETag', '"2"']] });
    const open = inTurn<SourceEvent>(
      of(head()),
      of(head({ from: 5, last: 6 }), ...letters('fg')),
      of(changed, ...letters('ab')),
    );
    const answer = ask(ranges([5, 6], [0, 1]), { entry: bare, open });
    expect(answer.error).toMatchObject({
      code: 'CHANGED',
      message: 'http://a/bear.rpm changed between two parts of a response',
    });
    expect(answer.body).not.toContain('ab');
  });

  it('of content that grows in between end in an error, too', () => {
    const open = inTurn<SourceEvent>(
      of(head()),
      of(head({ from: 5, last: 6 }), ...letters('fg')),
      of(head({ from: 0, last: 1, length: 11 }), ...letters('ab')),
    );
    expect(ask(ranges([5, 6], [0, 1]), { entry: bare, open }).error).toMatchObject({ code: 'CHANGED' });
  });

  it('end in the error of the first part', () => {
    const missing = new StreamError('SOURCE_MISSING', 'feed', 'has no such file');
    const open = inTurn<SourceEvent>(
      of(head()),
      throwError(() => missing),
    );
    expect(ask(ranges([5, 6], [0, 1]), { open })).toMatchObject({ head: undefined, error: missing });
  });

  it('that are half of the content are cut from one transfer of the whole, as those of small content are', () => {
    const known = entryOf(CONTENT, { size: 10 });
    const whole = (request: Partial<StreamRequest>, verifyWholeBelow: number) =>
      ask(request, { entry: known, verifyWholeBelow }).asked.filter((one) => one === 'GET a 0').length;
    expect(whole(ranges([0, 2], [5, 6]), 0)).toBe(1);
    expect(whole(ranges([0, 1], [5, 6]), 0)).toBe(0);
    expect(whole(ranges([0, 1], [5, 6]), 10)).toBe(1);
    expect(whole(ranges([0, 1], [5, 6]), 9)).toBe(0);
  });

  it('of content that differs at each request are the whole', () => {
    const open = inTurn<SourceEvent>(
      of(head()),
      of(head({ from: 0, last: 1, headers: [['ETag', '"2"']] }), ...letters('ab')),
      of(head({ headers: [['ETag', '"3"']] }), ...letters(CONTENT)),
    );
    const answer = ask(ranges([0, 1], [5, 6]), { entry: bare, open });
    expect(answer).toMatchObject({ status: 200, body: CONTENT, error: undefined });
    expect(answer.field('etag')).toBe('"3"');
  });

  it('of a source whose HEAD has no length are the whole', () => {
    const source = sourceOfRanges();
    const open: Unpaused = (location, ask) =>
      ask.method === 'HEAD' ? of(head({ length: undefined })) : source.open(location, ask);
    expect(ask(ranges([0, 1], [5, 6]), { entry: bare, open })).toMatchObject({ status: 200, body: CONTENT });
  });

  it('of a source that cannot answer HEAD are the whole', () => {
    const refused = new StreamError('SOURCE_STATUS', 'feed', '405');
    const open = inTurn<SourceEvent>(
      throwError(() => refused),
      of(head(), ...letters(CONTENT)),
    );
    expect(ask(ranges([0, 1], [5, 6]), { open })).toMatchObject({ status: 200, body: CONTENT, error: undefined });
  });
});

describe('a range beyond the end', () => {
  it('is 416 even if the source was asked with a date and its refusal has no date', () => {
    const refusal = sourceHead({ status: 416, length: 10, from: 10 });
    const answer = ask({ ...one(10), conditions: { ifRange: MODIFIED } }, { open: () => of(refusal) });
    expect(answer).toMatchObject({ head: undefined, error: { code: 'UNSATISFIABLE', length: 10 } });
  });

  it.each([one(0, 5), one(7), one(-5), { ranges: [{ first: 0, last: 1 }, { first: 5 }] }])(
    'is the whole of empty content: %j',
    (request) => {
      for (const known of [bare, entryOf(''), entryOf('', { size: 0 })]) {
        const answer = ask(request, { entry: known, open: () => of(head({ length: 0 })) });
        expect(answer).toMatchObject({ status: 200, length: 0, body: '', error: undefined });
      }
    },
  );

  it('is not searched in an older revision', () => {
    const [now, before] = [entryOf('abc', { revision: 2, size: 3 }), entryOf(CONTENT)];
    const answer = ask(
      { ...one(5), conditions: { ifRange: MODIFIED } },
      { entry: [now, before], open: openOf(now, before) },
    );
    expect(answer).toMatchObject({ head: undefined, error: { code: 'UNSATISFIABLE', length: 3 } });
  });
});

/** The revision whose candidate is opened: `lazyFetch` opens the candidate itself. */
const revisionAt = (location: Location): number => (location as Candidate).entry.revision;

/**
 * A source for each of two revisions that share path and URL: a request for the older one returns
 * the whole.
 */
const openOf =
  (now: CatalogEntry, before: CatalogEntry): Unpaused =>
  (location) =>
    revisionAt(location) === now.revision
      ? throwError(() => new StreamError('UNSATISFIABLE', 'feed', 'it has only 3 bytes', { length: now.size }))
      : of(head({ length: before.size }), ...letters(CONTENT));

describe('an older revision', () => {
  const [now, before] = [entryOf('abc', { revision: 2 }), entryOf(CONTENT)];
  const open: Unpaused = (location) =>
    revisionAt(location) === 2
      ? throwError(() => new StreamError('SOURCE_STATUS', 'feed', '500'))
      : of(head(), ...letters(CONTENT));
  const older = (request: Partial<StreamRequest>) => ask(request, { entry: [now, before], open });

  it('is served as a fallback, but neither cached nor saved', () => {
    const answer = older({});
    expect(answer).toMatchObject({ status: 200, body: CONTENT, saves: [], error: undefined });
    expect(answer.field('cache-control')).toBe('no-store');
    expect(answer.field('etag')).toBe(`"${sha256(CONTENT)}"`);
  });

  it('does not provide the length of the newest one', () => {
    const gone: Unpaused = (location) =>
      throwError(() =>
        revisionAt(location) === 2
          ? new StreamError('SOURCE_MISSING', 'feed', '404')
          : new StreamError('UNSATISFIABLE', 'feed', 'it has only 10 bytes', { length: 10 }),
      );
    const answer = ask(one(10), { entry: [now, before], open: gone });
    expect(answer).toMatchObject({ head: undefined, error: { code: 'SOURCE_MISSING', length: undefined } });
  });

  it('is never confirmed by a 304', () => {
    expect(older({ conditions: { ifNoneMatch: [`"${sha256(CONTENT)}"`] } })).toMatchObject({
      status: 200,
      body: CONTENT,
    });
    expect(older({ conditions: { ifModifiedSince: Date.parse(MODIFIED) } })).toMatchObject({
      status: 200,
      body: CONTENT,
    });
  });
});
