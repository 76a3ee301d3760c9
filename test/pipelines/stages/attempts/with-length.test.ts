import { describe, expect, it } from '@jest/globals';
import {
  BehaviorSubject,
  concat,
  map,
  NEVER,
  type Observable,
  of,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import {
  type Ask,
  type Candidate,
  type Chunk,
  createLengths,
  type Lengths,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../../../pipelines/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import type { JudgedHead } from '../../../../pipelines/stages/attempts/verify-before-head.ts';
import { withLength } from '../../../../pipelines/stages/attempts/with-length.ts';
import { aLender } from '../../../support/lender.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  marbles,
  sourceHead,
  type Unpaused,
  unpaused,
} from '../../../support/pipeline.ts';

const known = aCandidate('feed', entryOf('abc'));
const bare = aCandidate('feed', anEntry());
const TAG: Partial<SourceHead> = { etag: '"1"' };
const CHUNKS = { a: chunk('a'), b: chunk('b'), c: chunk('c'), d: chunk('d') };

/** A candidate's answers to requests for its length: by HEAD, then for its first byte. */
interface Answers {
  readonly head?: Observable<SourceEvent>;
  readonly first?: Observable<SourceEvent>;
}

const answering =
  ({ head, first }: Answers, asked: string[] = []): Unpaused =>
  (_, { method, from, last }: Ask) => {
    asked.push(`${method} ${from}-${last ?? ''}`);
    const none = throwError(() => new StreamError('SOURCE_STATUS', 'feed', 'answered 405'));
    return (method === 'HEAD' ? head : first) ?? none;
  };

interface Story {
  readonly source: string;
  readonly answers?: Answers;
  readonly candidate?: Candidate;
  readonly sourceFields?: Partial<SourceHead>;
  readonly lengths?: Lengths;
  readonly result: string;
  readonly length?: number;
  readonly error?: StreamError;
  readonly asked?: readonly string[];
}

const check = ({
  source,
  answers = {},
  candidate = known,
  sourceFields = {},
  lengths,
  result,
  length,
  error,
  asked,
}: Story) =>
  marbles(({ cold, expectObservable, flush }) => {
    const head: JudgedHead = { ...sourceHead(sourceFields), verified: false };
    const calls: string[] = [];
    const open = () => cold<JudgedHead | Chunk>(source, { ...CHUNKS, h: head });
    const policy = aPolicy({ verifyWholeWithin: 20 });
    const deps = { open: unpaused(answering(answers, calls)), policy, lengths };
    const events = withLength(aRequest(), candidate, deps)(open)(OPEN);
    expectObservable(events).toBe(
      result,
      { ...CHUNKS, H: { ...head, length }, h: { ...head, length: undefined } } as never,
      error,
    );
    flush();
    if (asked) expect(calls).toEqual(asked);
  });

const measured = (length: number | undefined, more: Partial<SourceHead> = {}) => sourceHead({ length, ...more });

describe('withLength', () => {
  it('passes content whose source sends its length', () =>
    check({ source: 'h-a|', sourceFields: { length: 1 }, result: 'H-a|', length: 1, asked: [] }));

  it('asks by HEAD', () => {
    const head = timer(3).pipe(map(() => measured(3)));
    check({ source: 'h-a-----b-c|', answers: { head }, result: '---(Ha)-b-c|', length: 3, asked: ['HEAD 0-'] });
  });

  it('asks for the first byte if HEAD is refused or yields no length', () => {
    const first = of<SourceEvent[]>(measured(3, { from: 0, last: 0 }), chunk('a'));
    const asked = ['HEAD 0-', 'GET 0-0'];
    check({ source: 'h-a-b-c|', answers: { first }, result: 'H-a-b-c|', length: 3, asked });
    const head = of<SourceEvent>(measured(undefined));
    check({ source: 'h-a-b-c|', answers: { head, first }, result: 'H-a-b-c|', length: 3, asked });
  });

  it('passes content without a length if none is found in time', () => {
    check({ source: 'h-a|', result: 'h-a|', asked: ['HEAD 0-', 'GET 0-0'] });
    check({ source: `h-a${'-'.repeat(30)}|`, answers: { head: NEVER }, result: `${'-'.repeat(20)}(ha)---------|` });
  });

  it('waits on the clock that it is given', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: unknown[] = [];
    const deps = { open: unpaused(() => NEVER), policy: aPolicy({ verifyWholeWithin: 20 }), scheduler };
    const source = concat(of<JudgedHead>({ ...sourceHead(), verified: false }), NEVER);
    const waiting = withLength(aRequest(), known, deps)(() => source)(OPEN).subscribe((event) => seen.push(event.type));
    expect(seen).toEqual([]);
    // Not as long as an answer may take.
    scheduler.maxFrames = 20;
    scheduler.flush();
    expect(seen).toEqual(['head']);
    waiting.unsubscribe();
  });

  it('accepts only a length of the same content', () => {
    const head = (more: Partial<SourceHead>) => ({ head: of<SourceEvent>(measured(3, more)) });
    const story = { source: 'h-a-b-c|', candidate: bare, length: 3 };
    const [found, missing] = ['H-a-b-c|', 'h-a-b-c|'];
    const date = (value: string): Partial<SourceHead> => ({ headers: [['Last-Modified', value]] });
    check({ ...story, sourceFields: TAG, answers: head(TAG), result: found });
    check({ ...story, sourceFields: TAG, answers: head({ etag: '"2"' }), result: missing });
    check({ ...story, sourceFields: date('x'), answers: head(date('x')), result: found });
    check({ ...story, sourceFields: date('x'), answers: head(date('y')), result: missing });
    check({
      ...story,
      sourceFields: TAG,
      answers: head({ ...TAG, headers: [['Content-Encoding', 'gzip']] }),
      result: missing,
    });
    // None of its answers could be matched to this content: it is not asked.
    check({ ...story, answers: head({}), result: missing, asked: [] });
  });

  it('remembers the counted length, for the same content', () => {
    const lengths = createLengths();
    const chunked: Partial<SourceHead> = { ...TAG, headers: [['Transfer-Encoding', 'chunked']] };
    const story = { source: 'h-a-b-c|', candidate: bare, sourceFields: chunked, lengths };
    check({ ...story, result: 'h-a-b-c|', asked: ['HEAD 0-', 'GET 0-0'] });
    check({ ...story, result: 'H-a-b-c|', length: 3, asked: [] });
    check({ ...story, sourceFields: { ...chunked, etag: '"2"' }, result: 'h-a-b-c|', asked: ['HEAD 0-', 'GET 0-0'] });
    check({ ...story, candidate: known, sourceFields: {}, result: 'h-a-b-c|' });
    check({ ...story, candidate: known, sourceFields: {}, result: 'H-a-b-c|', length: 3, asked: [] });
    check({ ...story, candidate: aCandidate('feed', entryOf('other')), sourceFields: {}, result: 'h-a-b-c|' });
  });

  it('forgets the counted length of content that proved wrong, but not that a URL is distrusted', () => {
    const lengths = createLengths();
    lengths.record(known, sourceHead(), 3);
    lengths.forget(known);
    expect([lengths.of(known, sourceHead()), lengths.isDistrusted(known)]).toEqual([undefined, false]);
    lengths.distrust(known);
    lengths.forget(known);
    expect(lengths.isDistrusted(known)).toBe(true);
  });

  it('fails a body that differs from its announced length, and distrusts the source', () => {
    const lengths = createLengths();
    const story = {
      candidate: bare,
      sourceFields: TAG,
      lengths,
      answers: { head: of<SourceEvent>(measured(2, TAG)) },
      length: 2,
    };
    const error = (what: string) => new StreamError('WRONG_LENGTH', 'feed', `http://feed/bear.rpm ${what}`);
    check({ ...story, source: 'h-a-b-c|', result: 'H-a-b-#', error: error('sent more than the expected 2 bytes') });
    check({ ...story, source: 'h-a-b-c|', result: 'h-a-b-c|', asked: [] });
    check({
      ...story,
      lengths: createLengths(),
      source: 'h-a|',
      result: 'H-a#',
      error: error('ended after 1 of 2 bytes'),
    });
    // Nothing is remembered.
    check({
      ...story,
      lengths: undefined,
      source: 'h-a|',
      result: 'H-a#',
      error: error('ended after 1 of 2 bytes'),
    });
  });

  it('fails a body that was longer than its length before that was known', () => {
    const head = timer(5).pipe(map(() => measured(1)));
    const error = new StreamError('WRONG_LENGTH', 'feed', 'http://feed/bear.rpm sent more than the expected 1 bytes');
    check({ source: 'h-a-b-----|', answers: { head }, result: '-----(Ha#)', length: 1, error });
  });

  it('holds the memory of waiting chunks until they pass, or nobody waits any more', () => {
    const { lend, held } = aLender();
    const answer = new Subject<SourceEvent>();
    const events = new Subject<JudgedHead | Chunk>();
    const deps = { open: unpaused(() => answer), policy: aPolicy() };
    const start = () => {
      const waiting = withLength(aRequest(), known, deps)(() => events)(OPEN).subscribe();
      events.next({ ...sourceHead(), verified: false });
      events.next(lend('a'));
      events.next(lend('b'));
      return waiting;
    };
    const left = start();
    expect(held()).toBe(2);
    left.unsubscribe();
    expect(held()).toBe(0);
    start();
    expect(held()).toBe(2);
    answer.next(measured(3));
    expect(held()).toBe(0);
    events.next(lend('c'));
    expect(held()).toBe(0);
  });

  it('counts a body that ends before the answer', () =>
    check({ source: 'h-a|', answers: { head: NEVER }, result: '---(Ha|)', length: 1 }));

  it('pauses the source until the length is known', () => {
    const valves: boolean[] = [];
    const answer = new Subject<SourceEvent>();
    const deps = { open: unpaused(() => answer), policy: aPolicy(), lengths: createLengths() };
    const waiting = withLength(
      aRequest(),
      known,
      deps,
    )((valve) => {
      valve.subscribe((state) => valves.push(state));
      return concat(of<JudgedHead>({ ...sourceHead(), verified: false }), NEVER);
    })(new BehaviorSubject(true)).subscribe();
    expect(valves).toEqual([true, false]);
    answer.next(measured(3));
    expect(valves).toEqual([true, false, true]);
    waiting.unsubscribe();
  });

  it('does not count a body that ends with its connection', () => {
    const story = { source: 'h-a|', candidate: bare, sourceFields: TAG, lengths: createLengths(), result: 'h-a|' };
    check(story);
    check({ ...story, asked: ['HEAD 0-', 'GET 0-0'] });
  });

  it('answers HEAD with the remembered length', () => {
    const lengths = createLengths();
    lengths.record(known, sourceHead(), 3);
    const open = () => of({ ...sourceHead(), verified: false } as const);
    const heads: unknown[] = [];
    withLength(aRequest({ method: 'HEAD' }), known, { open: unpaused(() => NEVER), policy: aPolicy(), lengths })(open)(
      OPEN,
    ).subscribe((head) => heads.push(head));
    expect(heads).toMatchObject([{ length: 3 }]);
  });

  it('answers HEAD without a length that proved wrong', () => {
    const lengths = createLengths();
    lengths.distrust(known);
    const open = () => of({ ...sourceHead({ length: 7 }), verified: false } as const);
    const heads: { readonly length?: number }[] = [];
    const deps = { open: unpaused(() => NEVER), policy: aPolicy(), lengths };
    withLength(
      aRequest({ method: 'HEAD' }),
      known,
      deps,
    )(open)(OPEN).subscribe((head) => heads.push(head as SourceHead));
    lengths.record(known, sourceHead(), 3);
    withLength(
      aRequest({ method: 'HEAD' }),
      known,
      deps,
    )(open)(OPEN).subscribe((head) => heads.push(head as SourceHead));
    expect(heads.map(({ length }) => length)).toEqual([undefined, 3]);
  });

  it('forgets the least recently used URL', () => {
    const lengths = createLengths(2);
    const at = (url: string) => ({ ...known, url });
    for (const url of ['http://a', 'http://b']) lengths.record(at(url), sourceHead(), 1);
    lengths.of(at('http://a'), sourceHead());
    lengths.record(at('http://c'), sourceHead(), 1);
    expect(['a', 'b', 'c'].map((name) => lengths.of(at(`http://${name}`), sourceHead()))).toEqual([1, undefined, 1]);
  });
});
