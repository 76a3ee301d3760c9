import { describe, expect, it } from '@jest/globals';
import { concatMap, EMPTY, filter, NEVER, type Observable, of, pairwise, startWith, tap, throwError } from 'rxjs';
import {
  type CopyWriter,
  createHealth,
  createLengths,
  isNote,
  type LazyFetchDeps,
  type Report,
  type SaveRequest,
  type SourceEvent,
  StreamError,
  type StreamEvent,
  sourceName,
} from '../../pipelines/index.ts';
import {
  type Asked,
  aCandidate,
  anEntry,
  aPolicy,
  aSource,
  broken,
  chunk,
  entryOf,
  fetched,
  marbles,
  nameAt,
  newDigest,
  sourceHead,
  textOf,
  unpaused,
} from '../support/pipeline.ts';

const entry = entryOf('abcd', { size: 4 });
const VALVE = { o: true, x: false };

/**
 * The response as its consumer sees it, in a readable picture: the source's name for the head
 * together with the first byte, letters for the rest. Notes are recorded separately.
 */
const picture =
  (notes: string[]) =>
  (events: Observable<StreamEvent>): Observable<string> =>
    events.pipe(
      tap((event) => {
        if (!isNote(event)) return;
        if (event.type === 'found' || event.type === 'asked') return;
        if (!('candidate' in event)) notes.push(event.type);
        else if (event.type === 'failed')
          notes.push(`${sourceName(event.candidate.source)} ${event.error.code} ${event.phase}`);
        else notes.push(`${event.type} ${sourceName(event.candidate.source)} ${event.from}`);
      }),
      filter((event) => !isNote(event)),
      startWith(undefined),
      pairwise(),
      filter(([, event]) => event?.type !== 'head'),
      concatMap(([before, event]) => {
        const text = event?.type === 'chunk' ? textOf(event.bytes) : 'e';
        if (before?.type !== 'head') return [text];
        const name = sourceName(before.candidate.source).toUpperCase();
        return text === 'a' ? [name] : [name, text];
      }),
    );

const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
const gone = new StreamError('SOURCE_MISSING', 'feed', '404');

/**
 * Events of sources: `h` the head, letters the body; `2` and `3` heads that start at these bytes.
 */
const EVENTS: Record<string, SourceEvent> = {
  h: sourceHead({ length: 4, etag: '"1"' }),
  '2': sourceHead({ length: 4, from: 2, etag: '"1"' }),
  '3': sourceHead({ length: 4, from: 3, etag: '"1"' }),
  n: sourceHead({ length: 4, from: 2, etag: '"new"' }),
  z: sourceHead({ length: 5 }),
  ...Object.fromEntries([...'abcdX'].map((letter) => [letter, chunk(letter)])),
};

const pipeline = (sources: Record<string, readonly Observable<SourceEvent>[]>, more: Partial<LazyFetchDeps> = {}) => {
  const asked: string[] = [];
  const reports: Report[] = [];
  const notes: string[] = [];
  const saves: SaveRequest[] = [];
  const tries = new Map<string, number>();
  const deps: LazyFetchDeps = {
    catalog: { lookup: () => of(entry) },
    sources: Object.keys(sources).map((name) => () => of(aCandidate(name, entry))),
    open: unpaused((location, { from, ifRange, method }) => {
      const source = nameAt(location);
      asked.push(`${method} ${source} ${from}${ifRange ? ` if ${ifRange}` : ''}`);
      const count = tries.get(source) ?? 0;
      tries.set(source, count + 1);
      const answer = sources[source]?.[count];
      if (!answer) throw new Error(`${source} must not be asked ${count + 1} times`);
      return answer;
    }),
    newDigest,
    policy: aPolicy(),
    random: () => 1,
    outbox: { append: (save) => saves.push(save) },
    report: (report) => reports.push(report),
    ...more,
  };
  const fetch = (request: Asked = {}, see: (event: StreamEvent) => void = () => {}) =>
    fetched(request, deps).pipe(tap(see), picture(notes));
  return { fetch, asked, notes, reports, saves };
};

describe('lazyFetch', () => {
  it('looks up, tries, emits the head, then the body, and appends one save request', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const source = cold('--h-a-b-c-d---|', EVENTS);
      const { fetch, notes, saves, reports } = pipeline({ a: [source] });
      const result = '     ----A-b-c-----(de|)';
      expectObservable(fetch()).toBe(result);
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
      flush();
      expect(notes).toEqual(['attempt a 0', 'recorded']);
      expect(saves).toEqual([{ requestId: 'request-1', entry }]);
      expect(reports).toHaveLength(1);
      expect(reports[0]).toMatchObject({
        outcome: 'complete',
        bytes: 4,
        duration: 14,
        firstByte: 4,
        source: 'a',
        verified: 'sha256',
        recorded: true,
        attempts: [{ source: 'a', from: 0 }],
      });
    }));

  it('replaces a candidate that fails before its head by the next one', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const missing = cold<SourceEvent>('--#', {}, gone);
      const good = cold('         --h-a-b-c-d|', EVENTS);
      const { fetch, asked, notes } = pipeline({ a: [missing], b: [good] });
      const result = '            ------B-b-c--(de|)';
      expectObservable(fetch()).toBe(result);
      expectSubscriptions(missing.subscriptions).toBe('^-!');
      expectSubscriptions(good.subscriptions).toBe('   --^----------!');
      flush();
      expect(asked).toEqual(['GET a 0', 'GET b 0']);
      expect(notes).toEqual(['attempt a 0', 'a SOURCE_MISSING before-head', 'attempt b 0', 'recorded']);
    }));

  it('passes neither header nor byte of a failed candidate', () =>
    marbles(({ cold, flush }) => {
      const says = (name: string) => ({ ...EVENTS, h: sourceHead({ length: 4, headers: [[name, 'x']] }) });
      const { fetch, notes } = pipeline(
        { a: [cold('h-X-X-X-X-|', says('X-Bad'))], b: [cold('h-a-b-c-d-|', says('X-Good'))] },
        { policy: aPolicy({ verifyWholeBelow: 4 }) },
      );
      const names: string[] = [];
      const body: string[] = [];
      fetch({}, (event) => {
        if (event.type === 'head') names.push(...event.headers.map(([name]) => name));
      }).subscribe((event) => body.push(event));
      flush();
      expect(body).toEqual(['B', 'b', 'c', 'd', 'e']);
      expect(names).toEqual(['X-Good', 'ETag', 'Repr-Digest', 'Digest', 'Accept-Ranges', 'Cache-Control']);
      expect(notes).toContain('a WRONG_CHECKSUM before-head');
    }));

  it('continues at the exact byte after the source dies mid-body', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const dies = cold('  h-a-b-#', EVENTS, lost);
      const goesOn = cold('      -2-c-d-|', EVENTS);
      const { fetch, asked, notes } = pipeline({ a: [dies, goesOn] });
      const result = '     --A-b----c---(de|)';
      expectObservable(fetch()).toBe(result);
      expectSubscriptions(dies.subscriptions).toBe('  ^-----!');
      expectSubscriptions(goesOn.subscriptions).toBe('------^------!');
      flush();
      expect(asked).toEqual(['GET a 0', 'GET a 2 if "1"']);
      expect(notes).toEqual(['attempt a 0', 'a CONNECTION_LOST mid-body', 'attempt a 2', 'resumed a 2', 'recorded']);
    }));

  it('replaces a source that changed by one with the same content', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const dies = cold('  h-a-b-#', EVENTS, lost);
      const changed = cold('     -n', EVENTS);
      const other = cold('        -h-a-b-c-d-|', EVENTS);
      const { fetch, asked, notes } = pipeline({ a: [dies, changed], b: [other] });
      expectObservable(fetch()).toBe('--A-b---------c---(de|)');
      flush();
      expect(asked).toEqual(['GET a 0', 'GET a 2 if "1"', 'GET b 2']);
      expect(notes).toContain('a CHANGED mid-body');
    }));

  it('resumes a source that ends early, and one that stalls', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const short = cold('h-a-b-|', EVENTS);
      const stalls = cold('     2c------', EVENTS);
      const last = cold('                           3d|', EVENTS);
      const { fetch, notes } = pipeline({ a: [short, stalls, last] }, { policy: aPolicy({ readTimeout: 5 }) });
      expectObservable(fetch()).toBe('--A-b--c----------------(de|)');
      flush();
      expect(notes).toEqual(
        expect.arrayContaining(['a SHORT_BODY mid-body', 'a STALLED mid-body', 'resumed a 2', 'resumed a 3']),
      );
    }));

  it('errors without an end if the content is wrong', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const { fetch, saves, reports } = pipeline({ a: [cold('h-a-b-c-X-|', EVENTS)] });
      const error = expect.objectContaining({ code: 'WRONG_CHECKSUM' });
      expectObservable(fetch()).toBe('--A-b-c---#', undefined, error);
      flush();
      expect(saves).toEqual([]);
      expect(reports).toMatchObject([{ outcome: 'failed', bytes: 3, recorded: false }]);
      expect(reports[0]?.verified).toBeUndefined();
    }));

  it('completes if the checksum matches and only the end of the source is missing', () =>
    marbles(({ cold, expectObservable }) => {
      const { fetch } = pipeline({ a: [cold('h-a-b-c-d-#', EVENTS, lost)] });
      expectObservable(fetch()).toBe('--A-b-c---(de|)');
    }));

  it('replaces a source whose head is late, even while the valve is closed', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const silent = cold<SourceEvent>('----------');
      const good = cold('h-a-b-c-d|', EVENTS);
      const { fetch } = pipeline({ a: [silent], b: [good] }, { policy: aPolicy({ headTimeout: 5 }) });
      const valve = hot('x---------', VALVE);
      expectObservable(fetch({ valve })).toBe('-------B-b-c--(de|)');
      expectSubscriptions(silent.subscriptions).toBe('^----!');
    }));

  it('fails with its only error, or with the most informative of several', () =>
    marbles(({ cold, expectObservable }) => {
      const missing = () => cold<SourceEvent>('-#', {}, gone);
      const refused = () => cold<SourceEvent>('-#', {}, new StreamError('SOURCE_REFUSED', 'feed', '403'));
      expectObservable(pipeline({ a: [missing()] }).fetch()).toBe('-#', undefined, gone);
      expectObservable(pipeline({ a: [refused()], b: [missing()] }).fetch()).toBe(
        '--#',
        undefined,
        expect.objectContaining({ code: 'SOURCE_REFUSED', message: 'every source failed; 403; 404' }),
      );
      expectObservable(pipeline({ a: [missing()], b: [missing()] }).fetch()).toBe(
        '--#',
        undefined,
        expect.objectContaining({ code: 'SOURCE_MISSING' }),
      );
    }));

  it('backs off before it tries the only source again', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const busy = cold<SourceEvent>('-#', {}, new StreamError('SOURCE_BUSY', 'feed', '503', { retryAfter: 7 }));
      const good = cold('habcd|', EVENTS);
      const { fetch } = pipeline({ a: [busy, good] });
      expectObservable(fetch()).toBe('---------Abc-(de|)');
      expectSubscriptions(good.subscriptions).toBe('--------^----!');
    }));

  it('fails a candidate with a known problem without opening it', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const problem = new StreamError('SOURCE_BROKEN', 'feed', 'certificate without key');
      const sources = [() => of(broken(aCandidate('a', entry), problem)), () => of(aCandidate('b', entry))];
      const { fetch, asked, notes } = pipeline({ b: [cold('habcd|', EVENTS)] }, { sources });
      expectObservable(fetch()).toBe('-Bbc-(de|)');
      flush();
      expect(asked).toEqual(['GET b 0']);
      expect(notes).toContain('a SOURCE_BROKEN before-head');
    }));

  it.each([
    ['during the lookup', 1],
    ['before the head', 3],
    ['mid-body', 6],
    ['during a back-off', 9],
  ])('closes everything at once if its consumer leaves %s', (_, frame) =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const answer = cold('--(e|)', { e: entry });
      const valve = hot('o--------', VALVE);
      const source = cold('--h-a-#', EVENTS, lost);
      const { fetch, reports, saves } = pipeline(
        { a: [source] },
        {
          catalog: { lookup: () => answer },
          policy: aPolicy({ attemptsPerCandidate: 3 }),
          open: unpaused(() => source),
        },
      );
      expectObservable(fetch({ valve }), `^${'-'.repeat(frame - 1)}!`).toBe('------A------'.slice(0, frame));
      flush();
      for (const { unsubscribedFrame } of [...answer.subscriptions, ...valve.subscriptions, ...source.subscriptions])
        expect(unsubscribedFrame).toBeLessThanOrEqual(frame);
      expectSubscriptions(answer.subscriptions).toBe(frame < 2 ? '^!' : '^-!');
      expect(reports).toMatchObject([{ outcome: 'left', recorded: false }]);
      expect(saves).toEqual([]);
    }),
  );

  it('answers HEAD with only a head and does not request a save', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const sizeless = entryOf('abcd');
      const { fetch, asked, saves, reports } = pipeline(
        { a: [cold('-h|', EVENTS)] },
        { catalog: { lookup: () => of(sizeless) } },
      );
      expectObservable(fetch({ method: 'HEAD' })).toBe('--(Ae|)');
      flush();
      expect(asked).toEqual(['HEAD a 0']);
      expect(saves).toEqual([]);
      expect(reports[0]?.verified).toBeUndefined();
    }));

  it('does not request a save if the request forbids it or a copy exists', () =>
    marbles(({ cold, flush }) => {
      const unrecorded = pipeline({ a: [cold('habcd|', EVENTS)] });
      unrecorded.fetch({ save: false }).subscribe();
      const kept = pipeline(
        { a: [cold('habcd|', EVENTS)] },
        { sources: [() => of(aCandidate('saved', entry, { url: 'http://a/bear.rpm' }))] },
      );
      kept.fetch().subscribe();
      flush();
      expect([...unrecorded.saves, ...kept.saves]).toEqual([]);
      expect(unrecorded.reports[0]).toMatchObject({ outcome: 'complete', recorded: false });
    }));

  it('reports number and duration of pauses of its consumer', () =>
    marbles(({ cold, hot, flush }) => {
      const { fetch, reports } = pipeline({ a: [cold('h-a-b-c-d-|', EVENTS)] });
      fetch({ valve: hot('o-x--o-x-x-o', VALVE) }).subscribe();
      flush();
      expect(reports).toMatchObject([{ pauses: 2, pausedFor: 6 }]);
    }));

  describe('keeps a copy while the bytes pass', () => {
    const keeping = () => {
      const log: string[] = [];
      const copy: CopyWriter = {
        write: (bytes) => log.push(textOf(bytes)),
        commit: () => log.push('commit'),
        abort: () => log.push('abort'),
      };
      return { log, keep: () => copy };
    };

    it('and commits it before the save request', () =>
      marbles(({ cold, flush }) => {
        const { log, keep } = keeping();
        const { fetch } = pipeline(
          { a: [cold('habcd|', EVENTS)] },
          { keep, outbox: { append: () => log.push('record') } },
        );
        fetch().subscribe();
        flush();
        expect(log).toEqual(['a', 'b', 'c', 'd', 'commit', 'record']);
      }));

    it.each([
      ['is wrong', 'habcX|', 9],
      ['fails', 'habc#', 9],
      ['is left', 'habc---', 4],
    ])('and aborts it when the transfer %s', (_, source, until) =>
      marbles(({ cold, expectObservable, flush }) => {
        const { log, keep } = keeping();
        const error = new StreamError('WRONG_LENGTH', 'feed', 'wrong');
        const { fetch } = pipeline({ a: [cold(source, EVENTS, error)] }, { keep });
        expectObservable(fetch(), `^${'-'.repeat(until - 1)}!`).toBe(
          source === 'habcX|' || source === 'habc#' ? `-Abc${source === 'habcX|' ? '-' : ''}#` : '-Abc',
          undefined,
          expect.anything(),
        );
        flush();
        expect(log).toEqual(['a', 'b', 'c', 'abort']);
      }),
    );
  });

  it("errors with the catalog's error, and with NO_CANDIDATE if no source offers the path", () =>
    marbles(({ cold, expectObservable }) => {
      const down = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'down');
      const { fetch } = pipeline({}, { catalog: { lookup: () => cold('-#', {}, down) } });
      expectObservable(fetch()).toBe('-#', undefined, down);
      const none = pipeline({}, { sources: [() => EMPTY] });
      expectObservable(none.fetch()).toBe('#', undefined, expect.objectContaining({ code: 'NO_CANDIDATE' }));
    }));

  it('tries a failed source last until it has cooled down, and a good one in its place', () =>
    marbles(({ cold, flush }) => {
      const health = createHealth({ cooldown: 1000, cooldownLimit: 1000, random: () => 1 });
      const wrong = cold('habcX|', EVENTS);
      const right = cold('habcd|', EVENTS);
      const first = pipeline({ a: [wrong], b: [] }, { health });
      first.fetch().subscribe({ error: () => {} });
      flush();
      const second = pipeline({ a: [], b: [right] }, { health });
      second.fetch().subscribe();
      flush();
      expect([first.asked, second.asked]).toEqual([['GET a 0'], ['GET b 0']]);
      expect(first.notes).toEqual(['attempt a 0', 'a WRONG_CHECKSUM mid-body']);
    }));

  it('does not promise the length of content that was wrong', () =>
    marbles(({ cold, flush }) => {
      const events = { ...EVENTS, h: sourceHead({ headers: [['Transfer-Encoding', 'chunked']] }) };
      const silent = throwError(() => gone);
      const tooLong = cold('h-abcdX|', events);
      const right = cold('  h-abcd|', events);
      const answers = [tooLong, silent, silent, right, silent, silent];
      const bare = entryOf('abcd');
      const its = { catalog: { lookup: () => of(bare) }, sources: [() => of(aCandidate('a', bare))] };
      const { fetch, asked, reports } = pipeline({ a: answers }, { ...its, lengths: createLengths() });
      fetch().subscribe({ error: () => {} });
      flush();
      const lengths: (number | undefined)[] = [];
      fetch({}, (event) => event.type === 'head' && lengths.push(event.length)).subscribe({ error: () => {} });
      flush();
      expect(reports.map(({ outcome, error }) => error?.code ?? outcome)).toEqual(['WRONG_CHECKSUM', 'complete']);
      const asking = ['GET a 0', 'HEAD a 0', 'GET a 0'];
      expect([asked, lengths]).toEqual([[...asking, ...asking], [undefined]]);
    }));

  it('names every source that contributed to wrong content', () =>
    marbles(({ cold, flush }) => {
      const dies = cold('hab#', EVENTS, gone);
      const other = cold('2cX|', EVENTS);
      const { fetch, notes, reports } = pipeline({ a: [dies], b: [other] });
      fetch().subscribe({ error: () => {} });
      flush();
      expect(notes.slice(-2)).toEqual(['a WRONG_CHECKSUM mid-body', 'b WRONG_CHECKSUM mid-body']);
      expect(reports[0]?.attempts.map(({ failure }) => failure?.code)).toEqual(['SOURCE_MISSING', 'WRONG_CHECKSUM']);
    }));

  describe('with hedging', () => {
    const slow = (usual: number | undefined) => {
      const health = createHealth({ cooldown: 1000, cooldownLimit: 1000, random: () => 1 });
      if (usual !== undefined) for (let i = 0; i < 20; i++) health.answered(aSource('a'), usual);
      return { health, policy: aPolicy({ hedge: true }) };
    };

    it('asks a second source for its head if the first is slower than usual, and leaves the slower one', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const first = cold(' ----------habcd|', EVENTS);
        const second = cold('   --h-a-b-c-d-|', EVENTS);
        const { fetch, notes } = pipeline({ a: [first], b: [second] }, slow(3));
        expectObservable(fetch()).toBe('-------B-b-c---(de|)');
        expectSubscriptions(first.subscriptions).toBe(' ^------!');
        expectSubscriptions(second.subscriptions).toBe('---^-----------!');
        flush();
        expect(notes).toEqual(['attempt a 0', 'attempt b 0', 'recorded']);
      }));

    it('continues with the second if the first fails', () =>
      marbles(({ cold, expectObservable, flush }) => {
        const first = cold('----#', EVENTS, lost);
        const second = cold('  ---habcd|', EVENTS);
        const { fetch, notes } = pipeline({ a: [first], b: [second] }, slow(3));
        expectObservable(fetch()).toBe('-------Bbc-(de|)');
        flush();
        expect(notes).toEqual(['attempt a 0', 'attempt b 0', 'a CONNECTION_LOST before-head', 'recorded']);
      }));

    it('asks only one source until the usual time is known', () =>
      marbles(({ cold, expectObservable, flush }) => {
        const { fetch, asked } = pipeline({ a: [cold('---------habcd|', EVENTS)], b: [] }, slow(undefined));
        expectObservable(fetch()).toBe('----------Abc-(de|)');
        flush();
        expect(asked).toEqual(['GET a 0']);
      }));
  });

  it('errors if its consumer is stuck', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('h-a---------------------', EVENTS);
      const valve = hot('  o-x---------------------', VALVE);
      const { fetch } = pipeline({ a: [source] }, { policy: aPolicy({ clientTimeout: 10, readTimeout: 1000 }) });
      const stuck = expect.objectContaining({ code: 'CLIENT_STUCK', source: 'client' });
      expectObservable(fetch({ valve })).toBe('--A---------#', undefined, stuck);
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    }));

  it('replaces a source that is too slow', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const slow = cold('h-a----b----', EVENTS);
      const fast = cold('    -1bcd|', { ...EVENTS, 1: sourceHead({ length: 4, from: 1 }) });
      const policy = aPolicy({ minSpeed: 500, minSpeedWindow: 4 });
      const { fetch, notes } = pipeline({ a: [slow], b: [fast] }, { policy });
      expectObservable(fetch()).toBe('--A---bc-(de|)');
      expectSubscriptions(slow.subscriptions).toBe('^---!');
      flush();
      expect(notes).toContain('a TOO_SLOW mid-body');
    }));

  it('refuses content that is too large, with or without an announced length', () =>
    marbles(({ cold, expectObservable }) => {
      const policy = aPolicy({ sizeLimit: 3 });
      const tooLarge = expect.objectContaining({ code: 'TOO_LARGE' });
      expectObservable(pipeline({ a: [cold('h', EVENTS)] }, { policy }).fetch()).toBe('#', undefined, tooLarge);
      const bare = { lookup: () => of(anEntry()) };
      const unannounced = cold('h-a-b-c-d-', { ...EVENTS, h: sourceHead() });
      const sources = [() => of(aCandidate('a', anEntry()))];
      expectObservable(pipeline({ a: [unannounced] }, { policy, catalog: bare, sources }).fetch()).toBe(
        '----A-b-#',
        undefined,
        tooLarge,
      );
    }));

  it('runs separately for each subscription', () =>
    marbles(({ cold, flush }) => {
      const source = cold('habcd|', EVENTS);
      const { fetch, reports } = pipeline({ a: [source, source] }, { catalog: { lookup: () => of(entry) } });
      const events = fetch({ valve: NEVER });
      events.subscribe();
      events.subscribe();
      flush();
      expect(reports.map(({ outcome }) => outcome)).toEqual(['complete', 'complete']);
    }));
});
