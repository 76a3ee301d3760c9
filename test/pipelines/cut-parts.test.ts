import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import {
  type CatalogEntry,
  createHealth,
  createSharing,
  field,
  type Head,
  type LazyFetchDeps,
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
  chunk,
  entryOf,
  fetched,
  nameAt,
  newDigest,
  sourceHead,
  textOf,
  type Unpaused,
  unpaused,
} from '../support/pipeline.ts';

const CONTENT = 'abcdefghij';

/** How a source answers. Default: as a good one that sends parts. */
interface Behaviour {
  readonly content?: string;
  readonly total?: number;
  /** It ignores ranges. */
  readonly isRangeless?: boolean;
  /** Bytes of its first answer, after which the connection is lost. */
  readonly breaksAfter?: number;
  readonly head?: Partial<SourceHead>;
}

/** Sources by their name. `asked` has each request: source, first and last byte. */
const sourcesOf = (behaviours: Readonly<Record<string, Behaviour>>) => {
  const asked: string[] = [];
  const open: Unpaused = (location, { method, from, last }) => {
    const name = nameAt(location);
    const { content = CONTENT, total = content.length, isRangeless, breaksAfter, head } = behaviours[name] ?? {};
    asked.push(`${name} ${method === 'HEAD' ? method : `${from}-${last ?? ''}`}`);
    if (method === 'HEAD') return of(sourceHead({ length: total, ...head }));
    const first = isRangeless ? 0 : from;
    const end = isRangeless || last === undefined ? content.length - 1 : last;
    const isPart = first > 0 || end < content.length - 1;
    const answer = sourceHead({
      ...{ length: total, from: first, status: isPart ? 206 : 200, ...head },
      ...(end < content.length - 1 && { last: end }),
    });
    const bytes = content.slice(first, end + 1);
    if (breaksAfter === undefined) return of<SourceEvent[]>(answer, ...[...bytes].map(chunk));
    return concat(
      of<SourceEvent[]>(answer, ...[...bytes.slice(0, breaksAfter)].map(chunk)),
      throwError(() => new StreamError('CONNECTION_LOST', 'feed', 'lost')),
    );
  };
  return { asked, open };
};

interface Story extends Partial<Omit<LazyFetchDeps, 'open'>> {
  readonly open?: Unpaused;
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly entry?: CatalogEntry;
  readonly small?: boolean;
}

/** A site of sources. `ask` runs a request and returns what its client has received so far. */
const site = ({ behaviours, entry = entryOf(CONTENT), small = true, open, ...deps }: Story) => {
  const { asked, open: sends } = sourcesOf(behaviours);
  const saves: SaveRequest[] = [];
  const all: LazyFetchDeps = {
    ...{
      open: unpaused(open ?? sends),
      newDigest,
      random: () => 1,
      outbox: { append: (save: SaveRequest) => saves.push(save) },
    },
    catalog: { lookup: () => of(entry) },
    sources: Object.keys(behaviours).map((name) => (found: CatalogEntry) => of(aCandidate(name, found))),
    policy: aPolicy({ verifyWholeBelow: small ? 100 : 0 }),
    // No time passes, and no timer remains.
    scheduler: new VirtualTimeScheduler(),
    ...deps,
  };
  const ask = (request: Partial<StreamRequest>) => {
    const got = { status: 0, range: '', body: '', error: '', report: undefined as Report | undefined };
    let head: Head | undefined;
    fetched(request, { ...all, report: (report) => Object.assign(got, { report }) }).subscribe({
      next: (event) => {
        if (event.type === 'head') {
          head = event;
          Object.assign(got, { status: head.status, range: field(head.headers, 'content-range') ?? '' });
        }
        if (event.type === 'chunk') got.body += textOf(event.bytes);
      },
      error: (error: StreamError) => {
        got.error = error.code;
      },
    });
    return got;
  };
  return { ask, asked, saves };
};

const part = (first: number, last?: number): Partial<StreamRequest> => ({ ranges: [{ first, last }] });
const sized = entryOf(CONTENT, { size: CONTENT.length });

describe('a part of small content', () => {
  it.each([
    ['known', sized],
    ['unknown', entryOf(CONTENT)],
  ])('is right although the first source sends wrong bytes (size %s)', (_, entry) => {
    const { ask } = site({ entry, behaviours: { wrong: { content: 'abcXefghij' }, good: {} } });
    expect(ask(part(2, 4))).toMatchObject({ status: 206, range: 'bytes 2-4/10', body: 'cde', error: '' });
  });

  it('has the right total although the first source states a false one', () => {
    const { ask } = site({ behaviours: { wrong: { content: `${CONTENT}k` }, good: {} } });
    expect(ask(part(-3))).toMatchObject({ range: 'bytes 7-9/10', body: 'hij' });
  });

  it('is continued by another source', () => {
    const { ask } = site({ entry: sized, behaviours: { first: { breaksAfter: 3 }, second: {} } });
    expect(ask(part(2, 8))).toMatchObject({ status: 206, body: 'cdefghi', error: '' });
  });

  it('ends when the whole has ended', () => {
    const bytes = new Subject<SourceEvent>();
    const time = new VirtualTimeScheduler(undefined, 1);
    // Content that comes slowly streams.
    const policy = aPolicy({ verifyWholeBelow: 100, verifyWholeWithin: 1 });
    const { ask } = site({ entry: sized, behaviours: { a: {} }, open: () => bytes, policy, scheduler: time });
    const got = ask(part(2, 4));
    bytes.next(sourceHead({ length: 10 }));
    bytes.next(chunk('a'));
    time.flush();
    for (const letter of CONTENT.slice(1)) bytes.next(chunk(letter));
    expect(got).toMatchObject({ status: 206, body: 'cd' });
    bytes.complete();
    expect(got).toMatchObject({ status: 206, body: 'cde', report: { outcome: 'complete' } });
  });

  it('shares one transfer with other parts and with the whole', () => {
    const bytes = new Subject<SourceEvent>();
    let opened = 0;
    const open: Unpaused = () => {
      opened += 1;
      return bytes;
    };
    const sharing = createSharing({ window: 100, memory: 100 });
    // With copies, a part is saved like the whole.
    const keep = () => undefined;
    const { ask } = site({ entry: sized, behaviours: { a: {} }, open, sharing, keep });
    const got = [ask(part(2, 4)), ask(part(-2)), ask({ ...part(0, 0), conditions: {} }), ask({})];
    expect(opened).toBe(1);
    for (const event of [sourceHead({ length: 10 }), ...[...CONTENT].map(chunk)]) bytes.next(event);
    bytes.complete();
    expect(got.map(({ body }) => body)).toEqual(['cde', 'ij', 'a', CONTENT]);
  });

  it('is kept and saved as the whole if copies are kept, otherwise only with save_partial', () => {
    const kept: string[] = [];
    const keep = () => ({
      write: (bytes: Uint8Array) => kept.push(textOf(bytes)),
      commit: () => kept.push('!'),
      abort: () => kept.push('?'),
    });
    const keeping = site({ entry: sized, behaviours: { a: {} }, keep });
    expect(keeping.ask(part(2, 4)).report?.recorded).toBe(true);
    expect(kept.join('')).toBe(`${CONTENT}!`);
    expect(keeping.saves).toHaveLength(1);
    expect(site({ entry: sized, behaviours: { a: {} } }).ask(part(2, 4)).report?.recorded).toBe(false);
    const policy = aPolicy({ verifyWholeBelow: 100, savePartial: true });
    expect(site({ entry: sized, behaviours: { a: {} }, policy }).ask(part(2, 4)).report?.recorded).toBe(true);
  });

  it('costs one transfer with others in one body', () => {
    const { ask, asked } = site({ behaviours: { wrong: { content: 'abcXefghij' }, good: {} } });
    const several = ask({ ranges: [{ first: 1, last: 2 }, { first: 4, last: 4 }, { first: -2 }] });
    expect(several).toMatchObject({ status: 206, error: '' });
    expect(several.body.split(/\r\n\r\n|\r\n--/).filter((text) => /^[a-j]+$/i.test(text))).toEqual(['bc', 'e', 'ij']);
    expect(asked).toEqual(['wrong HEAD', 'wrong 0-', 'good 0-']);
  });
});

describe('a part of larger content', () => {
  const larger = { small: false };

  it('is continued by another source of the same checksum that repeats its last bytes', () => {
    const { ask, asked } = site({ ...larger, behaviours: { first: { breaksAfter: 3 }, second: {} } });
    expect(ask(part(2, 8))).toMatchObject({ status: 206, body: 'cdefghi', error: '' });
    // The first one is asked again, since only its connection was lost.
    expect(asked).toEqual(['first 2-8', 'first 2-8', 'second 2-8']);
  });

  it('is not continued by a source with other bytes at the border, or of content without a checksum', () => {
    const behaviours = { first: { breaksAfter: 3 }, second: { content: 'abcdXfghij' } };
    const policy = aPolicy({ attempts: 3 });
    expect(site({ behaviours, policy }).ask(part(2, 8))).toMatchObject({ body: 'cde', error: 'CHANGED' });
    const bare = site({ ...larger, behaviours: { first: { breaksAfter: 3 }, second: {} }, entry: anEntry() });
    expect(bare.ask(part(2, 8))).toMatchObject({ body: 'cde', error: 'CONNECTION_LOST' });
  });
});

describe('a part of content of known size', () => {
  it('is asked for alone, unless it is all of it', () => {
    const { ask, asked } = site({ entry: sized, small: false, behaviours: { a: {} } });
    expect(ask(part(1, 8))).toMatchObject({ status: 206, body: 'bcdefghi' });
    expect(ask(part(0, 8))).toMatchObject({ status: 206, body: 'abcdefghi' });
    expect(ask(part(0, 9))).toMatchObject({ status: 206, body: CONTENT });
    expect(asked).toEqual(['a 1-8', 'a 0-8', 'a 0-']);
  });

  it('that is cut from the whole is wanted only under the conditions of the request', () => {
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const dated = sourceHead({ length: 10, headers: [['Last-Modified', date]] });
    const open = () => of<SourceEvent[]>(dated, ...[...CONTENT].map(chunk));
    const { ask } = site({ entry: sized, behaviours: { a: {} }, open });
    const since = (ifModifiedSince: number) => ask({ ...part(1, 8), conditions: { ifModifiedSince } });
    expect(since(Date.parse(date))).toMatchObject({ status: 304, body: '' });
    expect(since(0)).toMatchObject({ status: 206, body: 'bcdefghi' });
  });
});

describe('a source that sends no parts', () => {
  const health = () => createHealth({ cooldown: 1000, cooldownLimit: 1000, random: () => 1 });
  const rangeless = { small: false, behaviours: { a: { isRangeless: true } } };

  it('is asked for a part once; further parts are cut from the whole at once', () => {
    const { ask, asked } = site({ ...rangeless, health: health() });
    expect(ask(part(2, 4))).toMatchObject({ status: 206, range: 'bytes 2-4/10', body: 'cde' });
    expect(ask(part(5, 6))).toMatchObject({ status: 206, body: 'fg', report: { outcome: 'complete' } });
    expect(asked).toEqual(['a 2-4', 'a 0-', 'a 0-']);
  });

  it('is not asked for parts if it says so', () => {
    const says = { isRangeless: true, head: { headers: [['Accept-Ranges', 'none']] } } as const;
    const { ask, asked } = site({ small: false, behaviours: { a: says }, health: health() });
    ask({});
    expect(ask(part(2, 4))).toMatchObject({ status: 206, body: 'cde' });
    expect(asked).toEqual(['a 0-', 'a 0-']);
  });

  it('does not count as failed', () => {
    const remembered = health();
    site({ ...rangeless, health: remembered }).ask(part(2, 4));
    expect(remembered.unhealthy()).toEqual([]);
  });

  it('is asked for one part at a time until it has sent one', () => {
    const remembered = health();
    const { ask, asked } = site({ small: false, behaviours: { a: {} }, health: remembered });
    // It announces nothing.
    ask({});
    const silent = site({ small: false, behaviours: { a: {} }, health: remembered, open: () => NEVER });
    silent.ask(part(2, 4));
    ask(part(2, 4));
    expect(asked).toEqual(['a 0-', 'a 0-']);
  });

  it('is read once by many parts', () => {
    const bytes = new Subject<SourceEvent>();
    const opened: number[] = [];
    const open: Unpaused = (_, { from }) => {
      opened.push(from);
      return from > 0 ? of(sourceHead({ length: 10, status: 200 })) : bytes;
    };
    const sharing = createSharing({ window: 100, memory: 100 });
    const { ask } = site({ ...rangeless, health: health(), sharing, open });
    const got = [part(8, 9), part(2, 4), part(5)].map(ask);
    for (const event of [sourceHead({ length: 10, status: 200 }), ...[...CONTENT].map(chunk)]) bytes.next(event);
    bytes.complete();
    expect(got.map(({ body }) => body)).toEqual(['ij', 'cde', 'fghij']);
    expect(opened).toEqual([8, 0]);
  });

  it('leaves the whole with the last byte of a part that is not small', () => {
    const bytes = new Subject<SourceEvent>();
    const { ask } = site({ ...rangeless, open: (_, { from }) => (from > 0 ? of(sourceHead({ length: 10 })) : bytes) });
    const got = ask(part(2, 4));
    bytes.next(sourceHead({ length: 10 }));
    bytes.next({ type: 'chunk', bytes: bytesOf('abcdefg') });
    expect(got).toMatchObject({ status: 206, body: 'cde', report: { outcome: 'complete' } });
    expect(bytes.observed).toBe(false);
  });
});

describe('a request for a part', () => {
  /** How many transfers requests need at the same time. */
  const transfers = (entry: CatalogEntry, small: boolean, ...requests: readonly Partial<StreamRequest>[]): number => {
    let opened = 0;
    const open: Unpaused = () => {
      opened += 1;
      return NEVER;
    };
    const sharing = createSharing({ window: 100, memory: 100 });
    const { ask } = site({ entry, small, behaviours: { a: {} }, open, sharing });
    for (const request of requests) ask(request);
    return opened;
  };

  it('shares the transfer of the whole if it is for all bytes', () => {
    const unsized = entryOf(CONTENT);
    for (const all of [part(0), part(0, 9), part(0, 99), part(-10)]) expect(transfers(sized, false, {}, all)).toBe(1);
    for (const some of [part(1), part(0, 8), part(-9)]) expect(transfers(sized, false, {}, some)).toBe(2);
    expect(transfers(unsized, false, {}, part(0))).toBe(1);
    // Nobody knows yet whether these are all.
    for (const some of [part(0, 9), part(1), part(-10)]) expect(transfers(unsized, false, {}, some)).toBe(2);
  });

  it('shares the transfer of the whole, although it alone would not be saved', () =>
    expect(transfers(sized, true, {}, part(2, 4))).toBe(1));

  it('shares the transfer of the whole, whatever its If-Range', () => {
    const conditions = { ifRange: '"other"', ifMatch: undefined };
    expect(transfers(sized, true, {}, { ...part(2, 4), conditions })).toBe(1);
  });

  it('is subject to its other conditions', () => {
    const { ask } = site({ entry: sized, behaviours: { a: {} } });
    const tag = `"${sized.checksum?.value}"`;
    expect(ask({ ...part(2, 4), conditions: { ifNoneMatch: [tag] } })).toMatchObject({ status: 304, body: '' });
    expect(ask({ ...part(2, 4), conditions: { ifNoneMatch: ['"other"'] } })).toMatchObject({
      status: 206,
      body: 'cde',
    });
  });

  it('is one for the whole if it asks for a head alone', () => {
    const { ask } = site({ entry: sized, behaviours: { a: {} } });
    expect(ask({ method: 'HEAD', ...part(2, 4) })).toMatchObject({ status: 200, range: '' });
  });
});
