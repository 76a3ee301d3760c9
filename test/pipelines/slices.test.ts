import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, concat, NEVER, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import {
  type CatalogEntry,
  createSliceMemory,
  field,
  type Head,
  isNote,
  type Policy,
  type SliceMemory,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../pipelines/index.ts';
import { aLender } from '../support/lender.ts';
import {
  type Asked,
  aCandidate,
  anEntry,
  aPolicy,
  chunk,
  entryOf,
  fetched,
  newDigest,
  sourceHead,
  textOf,
  type Unpaused,
  unpaused,
} from '../support/pipeline.ts';

const CONTENT = 'abcdefghij';
const known = entryOf(CONTENT);
const part = (first: number, last: number, more: Partial<SourceHead> = {}): SourceHead =>
  sourceHead({ length: CONTENT.length, from: first, last, ...more });

interface Story {
  readonly entry?: CatalogEntry;
  readonly open: Unpaused;
  readonly slices?: SliceMemory;
  readonly request?: Asked;
  /** Whether the source is a saved copy. Default: it is. */
  readonly kept?: boolean;
  readonly outdated?: boolean;
  readonly policy?: Partial<Policy>;
}

/**
 * Asks for the slice of bytes 2 to 4, and returns what its client has received so far, and the
 * methods used.
 */
const ask = ({ entry = known, open, slices, request, kept = true, outdated = false, policy }: Story) => {
  const got = {
    head: undefined as Head | undefined,
    body: '',
    ending: '',
    notes: [] as string[],
    asked: [] as string[],
    left: () => {},
  };
  const counting: Unpaused = (candidate, asked) => {
    got.asked.push(`${asked.method} ${asked.from}-${asked.last ?? ''}`);
    return open(candidate, asked);
  };
  const asking = fetched(
    { slice: true, ranges: [{ first: 2, last: 4 }], ...request },
    {
      catalog: { lookup: () => of(entry) },
      sources: [(found) => of(aCandidate(kept ? 'saved' : 'feed', found, { outdated }))],
      open: unpaused(counting),
      newDigest,
      policy: aPolicy({ attempts: 1, ...policy }),
      random: () => 1,
      slices,
      // No time passes, and no timer remains.
      scheduler: new VirtualTimeScheduler(),
    },
  ).subscribe({
    next: (event) => {
      if (event.type === 'head') got.head = event;
      if (event.type === 'chunk') got.body += textOf(event.bytes);
      if (isNote(event)) got.notes.push(event.type);
    },
    error: (error: StreamError) => {
      got.ending = error.code;
    },
    complete: () => {
      got.ending = 'complete';
    },
  });
  got.left = () => asking.unsubscribe();
  return got;
};

const fieldOf = ({ head }: { readonly head: Head | undefined }, name: string) => field(head?.headers ?? [], name);
const lost = () => throwError(() => new StreamError('CONNECTION_LOST', 'feed', 'lost'));

describe('a slice', () => {
  it('has its head once all of its bytes have arrived', () => {
    const bytes = new Subject<SourceEvent>();
    const got = ask({ open: () => bytes });
    bytes.next(part(2, 4));
    for (const letter of 'cde') bytes.next(chunk(letter));
    expect(got).toMatchObject({ head: undefined, body: '', notes: ['found', 'attempt'] });
    bytes.complete();
    expect(got).toMatchObject({ head: { status: 206, length: 3 }, body: 'cde', ending: 'complete' });
    expect(fieldOf(got, 'content-range')).toBe('bytes 2-4/10');
  });

  it('that breaks off is an error before its head, not a gap', () =>
    expect(ask({ open: () => concat(of(part(2, 4), chunk('cd')), lost()) })).toMatchObject({
      head: undefined,
      body: '',
      ending: 'CONNECTION_LOST',
    }));

  it('flows as fast as its client allows', () => {
    const valve = new BehaviorSubject(false);
    const got = ask({ open: () => of(part(2, 4), chunk('c'), chunk('de')), request: { valve } });
    expect(got).toMatchObject({ head: { status: 206 }, body: '', ending: '' });
    valve.next(true);
    expect(got).toMatchObject({ body: 'cde', ending: 'complete' });
  });

  it('may be cached only briefly, and is never confirmed', () => {
    const open = () => of(part(2, 4), chunk('cde'));
    const got = ask({ open, request: { conditions: { ifNoneMatch: ['*'] } } });
    expect(got).toMatchObject({ head: { status: 206 }, body: 'cde' });
    expect(fieldOf(got, 'cache-control')).toBe('public, s-maxage=60, max-age=60');
    expect(fieldOf(ask({ open, request: { slice: false } }), 'cache-control')).toBe(
      'public, s-maxage=86400, max-age=86400',
    );
  });

  it('of content with a checksum is cut from the copy, or from verified content', () => {
    const cut = () => of(part(2, 4), chunk('cde'));
    expect(ask({ open: cut, kept: false })).toMatchObject({ asked: ['GET 2-4', 'GET 0-'] });
    const open: Unpaused = (_, { from }) => (from > 0 ? cut() : of(sourceHead({ length: 10 }), chunk(CONTENT)));
    const unsure = ask({ open, kept: false });
    expect(unsure).toMatchObject({ head: { status: 200 }, body: CONTENT, ending: 'complete' });
    expect(fieldOf(unsure, 'accept-ranges')).toBeUndefined();
    expect(fieldOf(unsure, 'etag')).toBe(`"${known.checksum?.value}"`);
    const small = { open, kept: false, entry: entryOf(CONTENT, { size: 10 }), policy: { verifyWholeBelow: 10 } };
    expect(ask(small)).toMatchObject({ head: { status: 206, verified: true }, body: 'cde', asked: ['GET 0-'] });
  });

  it('of content without a checksum is cut if a strong entity tag connects its parts', () => {
    const tagged = { etag: '"1"', headers: [['ETag', '"1"'] as const] };
    const story = { entry: anEntry(), kept: false };
    const open =
      (more: Partial<SourceHead>): Unpaused =>
      (_, { from }) =>
        from > 0 ? of(part(2, 4, more), chunk('cde')) : of(sourceHead({ length: 10, ...more }), chunk(CONTENT));
    expect(ask({ ...story, open: open(tagged) })).toMatchObject({
      head: { status: 206 },
      body: 'cde',
      asked: ['GET 2-4'],
    });
    const whole = { head: { status: 200 }, body: CONTENT, ending: 'complete', asked: ['GET 2-4', 'GET 0-'] };
    expect(ask({ ...story, open: open({}) })).toMatchObject(whole);
    expect(ask({ ...story, open: open({ headers: [['ETag', 'W/"1"']] }) })).toMatchObject(whole);
    // The client does not get the tag.
    expect(ask({ ...story, open: open({ etag: '"1"' }) })).toMatchObject(whole);
  });

  it('waits for memory, and frees it when it ends or its client leaves', () => {
    const slices = createSliceMemory(6);
    const open = () => concat(of(part(2, 4)), NEVER);
    const [first, second] = [ask({ open, slices }), ask({ open, slices })];
    const third = ask({ open: () => of(part(2, 4), chunk('cde')), slices });
    expect([first, second, third].map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
    first.left();
    expect(third).toMatchObject({ body: 'cde', ending: 'complete' });
    const large = ask({ open, slices, request: { ranges: [{ first: 0 }] } });
    expect(large.asked).toEqual([]);
    second.left();
    expect(large.asked).toEqual(['GET 0-']);
  });

  it('is answered like any other request if it has no range', () => {
    const open = () => of(sourceHead({ length: 10 }), chunk(CONTENT));
    for (const ranges of [[], undefined]) {
      const got = ask({ open, request: { ranges } });
      expect(got).toMatchObject({ head: { status: 200 }, body: CONTENT, ending: 'complete' });
      // No cache is to ask for parts of it.
      expect(fieldOf(got, 'accept-ranges')).toBeUndefined();
    }
  });

  it('waits until there are 64 MiB for all, unless a limit is stated', () => {
    const slices = createSliceMemory();
    const open = () => NEVER;
    const half = { ranges: [{ first: 0, last: 32 * 1024 * 1024 - 1 }] };
    const all = [1, 2, 3].map(() => ask({ open, slices, request: half }));
    expect(all.map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
  });

  it('waits for as much memory as it needs, also if it is the end of the content', () => {
    const slices = createSliceMemory(6);
    const open = () => NEVER;
    const request = { ranges: [{ first: -3 }] };
    const all = [ask({ open, slices, request }), ask({ open, slices, request }), ask({ open, slices, request })];
    expect(all.map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
  });

  it('keeps the memory of its bytes until they have left, or its client has', () => {
    const { lend, held } = aLender();
    const valve = new BehaviorSubject(false);
    const open = () => of(part(2, 4), lend('c'), lend('de'));
    const got = ask({ open, request: { valve } });
    expect(held()).toBeGreaterThan(0);
    valve.next(true);
    expect([got.body, held()]).toEqual(['cde', 0]);
    const left = ask({ open, request: { valve: new BehaviorSubject(false) } });
    expect(held()).toBeGreaterThan(0);
    left.left();
    expect(held()).toBe(0);
  });

  it('passes at once if it is not a part', () => {
    const bytes = new Subject<SourceEvent>();
    const got = ask({ open: () => bytes, request: { conditions: { ifRange: '"other"' } } });
    bytes.next(sourceHead({ length: 10 }));
    bytes.next(chunk('abc'));
    expect(got).toMatchObject({ head: { status: 200 }, body: 'abc', asked: ['GET 0-'] });
  });

  it('is asked for once if the answer is the whole', () => {
    const open: Unpaused = (_, { method }) => (method === 'HEAD' ? lost() : of(sourceHead(), chunk(CONTENT)));
    const got = ask({ open, kept: false, entry: anEntry() });
    expect(got).toMatchObject({ head: { status: 200 }, body: CONTENT, ending: 'complete' });
    expect(got.asked.filter((one) => one.startsWith('GET'))).toEqual(['GET 2-4']);
  });

  it('is the whole if it has several ranges', () => {
    const ranges = [
      { first: 0, last: 1 },
      { first: 5, last: 6 },
    ];
    const got = ask({ open: () => of(sourceHead({ length: 10 }), chunk(CONTENT)), request: { ranges } });
    expect(got).toMatchObject({ head: { status: 200 }, body: CONTENT, asked: ['GET 0-'] });
  });

  it('of outdated content is not cached at all', () => {
    const got = ask({ open: () => of(part(2, 4), chunk('cde')), outdated: true });
    expect(fieldOf(got, 'cache-control')).toBe('no-store');
  });

  it('does not concern a request for a head', () => {
    const got = ask({ open: () => of(sourceHead({ length: 10 })), request: { method: 'HEAD' } });
    expect(got).toMatchObject({ head: { status: 200 }, asked: ['HEAD 0-'] });
    expect(fieldOf(got, 'cache-control')).toBe('public, s-maxage=86400, max-age=86400');
  });
});
