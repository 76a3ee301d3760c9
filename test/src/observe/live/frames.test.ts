import { describe, expect, it } from '@jest/globals';
import { asyncScheduler, concat, map, NEVER, Observable, of, Subject, switchMap, take, timer } from 'rxjs';
import { type Chunk, type Head, type Note, StreamError } from '../../../../pipelines/index.ts';
import { Gate } from '../../../../pipelines/operators/valve.ts';
import { type FramesDeps, framesOf, written } from '../../../../src/observe/live/frames.ts';
import { applyFrame, applySnapshot, emptyState } from '../../../../src/observe/live/model/state.ts';
import type { Side } from '../../../../src/observe/live/model/wire.ts';
import { sentenceOf, wordOf } from '../../../../src/observe/live/model/words.ts';
import { createTiles } from '../../../../src/observe/live/tiles.ts';
import { createTraffic, type Traffic } from '../../../../src/observe/live/traffic.ts';
import { entered } from '../../../support/entered.ts';
import { subscribeGone } from '../../../support/gone.ts';
import { aCandidate, chunk, entryOf, headOf, marbles } from '../../../support/pipeline.ts';

const SIDE: Side = {
  ready: true,
  degraded: [],
  sources: [],
  prefixes: [],
  morePrefixes: 0,
  process: { memory: 0, delay: 0, started: 0, version: '1' },
};

const entry = entryOf('0123456789');
const [a, b] = [aCandidate('feed:a', entry), aCandidate('feed:b', entry)];
const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
const EVENTS: Readonly<Record<string, Head | Chunk | Note>> = {
  f: { type: 'found', candidates: [a, b] },
  a: { type: 'attempt', candidate: a, from: 0 },
  h: headOf(a, { length: 10 }),
  c: chunk('01234'),
  x: { type: 'failed', candidate: a, error: lost, phase: 'mid-body', sent: 5 },
  r: { type: 'resumed', candidate: b, from: 5 },
};

const depsOf = (traffic: Traffic, scheduler: FramesDeps['scheduler']): FramesDeps => ({
  traffic,
  tiles: createTiles({ traffic, received: () => 0, pending: () => 0 }),
  side: () => SIDE,
  prefixOf: () => '/el9',
  showClient: (client) => client,
  scheduler,
});

const asked = (id: string, valve = new Gate(true)) => ({ id, path: `/el9/${id}`, client: '10.0.0.1', valve });

/** Everything that frames say of a stream, one letter each. */
const told = ({ frame }: { frame: { streams?: readonly object[] } }): string =>
  JSON.stringify(frame.streams?.map((one) => Object.keys(one).toString()) ?? []);

describe('frames', () => {
  it('are four a second while there is a subscriber, and say what has changed', () =>
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const traffic = createTraffic(() => asyncScheduler.now());
      const river = hot('  -(fah) 396ms c 399ms xr 497ms c 1s |', EVENTS);
      const watched = entered(traffic, asked('one'), river);
      expectObservable(
        watched.pipe(
          map(() => 0),
          take(99),
        ),
      ).toBe('-(000) 396ms 0 399ms 00 497ms 0 1s (0|)', [0]);
      const frames = framesOf(depsOf(traffic, asyncScheduler)).pipe(map(told));
      expectObservable(frames, '^ 1100ms !').toBe('0 249ms 1 249ms 2 249ms 3 249ms 4', [
        '["id,facts"]',
        '["id,facts,lanes,marks"]',
        '["id,facts,bytes"]',
        '[]',
        '["id,marks"]',
      ]);
      expectSubscriptions(river.subscriptions).toBe('^ 2301ms !');
    }));

  it('are made once for all viewers, and only while somebody looks', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const frames = cold('a-b-c-', { a: 1, b: 2, c: 3 });
      let writes = 0;
      const sent = written(
        frames.pipe(map((at) => ({ frame: { at }, snapshot: () => ({ at }) as never }))),
        (_, json) => {
          writes += 1;
          return Buffer.from(json);
        },
      ).pipe(map(({ frame }) => `${writes} ${Buffer.from(frame)}`));
      const values = { a: '1 {"at":1}', b: '2 {"at":2}', c: '3 {"at":3}' };
      expectObservable(sent, '^----!').toBe(' a-b-c', values);
      expectObservable(sent, '-^---!').toBe(' --b-c', values);
      expectSubscriptions(frames.subscriptions).toBe('^----!');
    }));

  it('show for how long the client has paused', () =>
    marbles(({ expectObservable, flush }) => {
      const traffic = createTraffic(() => asyncScheduler.now());
      const valve = new Gate(true);
      const run = entered(traffic, asked('slow', valve), concat(of(EVENTS.h!, EVENTS.c!), NEVER)).subscribe();
      asyncScheduler.schedule(() => valve.next(false), 100);
      asyncScheduler.schedule(() => valve.next(true), 600);
      const state = emptyState();
      expectObservable(
        framesOf(depsOf(traffic, asyncScheduler)).pipe(
          map(({ frame, snapshot }) => {
            if (state.at === 0) applySnapshot(state, snapshot());
            else applyFrame(state, frame);
            return state.streams.get('slow')?.facts.paused;
          }),
        ),
        '^ 999ms !',
      ).toBe('a 249ms b 249ms c 249ms d', { a: 0, b: 150, c: 400, d: 500 });
      flush();
      run.unsubscribe();
      expect(traffic.running.size).toBe(0);
    }));

  it('draw no pauses that nobody saw', () =>
    marbles(({ expectObservable, flush }) => {
      const traffic = createTraffic(() => asyncScheduler.now());
      const valve = new Gate(true);
      entered(traffic, asked('slow', valve), concat(of(EVENTS.h!, EVENTS.c!), NEVER)).subscribe();
      valve.next(false);
      asyncScheduler.schedule(() => valve.next(true), 600);
      const drawn = framesOf(depsOf(traffic, asyncScheduler)).pipe(
        map(({ frame }) => frame.streams?.some(({ closed }) => closed) ?? false),
      );
      expectObservable(timer(1000).pipe(switchMap(() => drawn)), '^ 1499ms !').toBe('1s a 249ms b', {
        a: false,
        b: false,
      });
      flush();
    }));
});

describe('a viewer', () => {
  const failing = (): Observable<Head | Chunk | Note> =>
    of(EVENTS.f!, EVENTS.a!, EVENTS.h!, EVENTS.c!, EVENTS.x!, EVENTS.r!, EVENTS.c!);

  it('knows the same from all frames as from one late snapshot', () =>
    marbles(({ expectObservable, flush }) => {
      const traffic = createTraffic(() => asyncScheduler.now());
      const tiles = createTiles({ traffic, received: () => 0, pending: () => 3 });
      const [early, late] = [emptyState(), emptyState()];
      for (const [at, play] of [
        [200, () => entered(traffic, asked('replaced'), of(EVENTS.a!, EVENTS.x!, EVENTS.h!, EVENTS.c!)).subscribe()],
        [300, () => entered(traffic, asked('whole'), failing()).subscribe()],
        [400, () => entered(traffic, asked('runs'), concat(failing(), NEVER)).subscribe()],
        [900, tiles.second],
      ] as const)
        asyncScheduler.schedule(() => void play(), at);
      const frames = framesOf({ ...depsOf(traffic, asyncScheduler), tiles });
      expectObservable(
        frames.pipe(
          map(({ frame, snapshot }) => {
            if (early.at === 0) applySnapshot(early, snapshot());
            else applyFrame(early, JSON.parse(JSON.stringify(frame)));
            applySnapshot(late, JSON.parse(JSON.stringify(snapshot())));
            return 0;
          }),
        ),
        '^ 1200ms !',
      ).toBe('a 249ms a 249ms a 249ms a 249ms a', { a: 0 });
      flush();
      // `early` starts as 0, the time of its snapshot.
      expect(early).toEqual(late);
      const runs = late.streams.get('runs')!;
      expect(wordOf(runs, 1100)).toMatchObject({ text: 'RESUMED on b', tone: 'busy' });
      expect(sentenceOf(runs)).toBe(
        '/el9/runs, client 10.0.0.1; served by a; a failed with CONNECTION_LOST; resumed on b; running.',
      );
      expect(runs.bytes).toEqual([
        [0, 0, 5],
        [0, 1, 5],
      ]);
      expect(late.tiles).toEqual([[0, 25, 0, 1, 0, 2, 0, 3, 1]]);
      expect(late.groups.map(({ prefix, source, running }) => [prefix, source, running])).toEqual([
        ['/el9', 'feed:a', 0],
        ['/el9', 'feed:b', 1],
      ]);
    }));
});

describe('streams that are shown', () => {
  it('are at most 1,000, eventful ones first', () =>
    marbles(({ expectObservable, flush }) => {
      const traffic = createTraffic(() => asyncScheduler.now());
      const state = emptyState();
      const quiet = of(EVENTS.a!, EVENTS.h!, EVENTS.c!);
      for (let at = 0; at < 2000; at += 1) entered(traffic, asked(`run-${at}`), concat(quiet, NEVER)).subscribe();
      asyncScheduler.schedule(() => {
        for (let at = 0; at < 100; at += 1) entered(traffic, asked(`more-${at}`), quiet).subscribe();
        entered(traffic, asked('eventful'), of(EVENTS.a!, EVENTS.x!, EVENTS.h!, EVENTS.c!)).subscribe();
      }, 100);
      expectObservable(
        framesOf(depsOf(traffic, asyncScheduler)).pipe(
          map(({ frame, snapshot }) => {
            if (state.at === 0) applySnapshot(state, snapshot());
            else applyFrame(state, frame);
            return [state.streams.size, state.beyond, traffic.running.size, state.streams.has('eventful')].join(' ');
          }),
        ),
        '^ 300ms !',
      ).toBe('a 249ms b', { a: '1000 0 2000 false', b: '1000 0 2000 true' });
      flush();
    }));

  it('are of requests in the registry; those beyond its limit are counted', () => {
    const traffic = createTraffic(() => 0, 10);
    const runs = Array.from({ length: 15 }, (_, at) => entered(traffic, asked(`run-${at}`), NEVER).subscribe());
    expect([traffic.running.size, traffic.beyond]).toEqual([10, 5]);
    for (const run of runs) run.unsubscribe();
    expect([traffic.running.size, traffic.beyond]).toEqual([0, 0]);
  });

  it('count in the sums while they run and afterwards, those beyond the limit afterwards', () => {
    const traffic = createTraffic(() => 0, 1);
    const [listed, beyond] = [new Subject<Head | Chunk | Note>(), new Subject<Head | Chunk | Note>()];
    const sums = () => [traffic.bytes, traffic.resumed, traffic.replaced, traffic.cut];
    entered(traffic, asked('listed'), listed).subscribe({ error: () => {} });
    entered(traffic, asked('beyond'), beyond).subscribe();
    for (const name of 'axahcxar') for (const events of [listed, beyond]) events.next(EVENTS[name]!);
    expect(sums()).toEqual([5, 1, 1, 0]);
    listed.error(lost);
    expect(sums()).toEqual([5, 1, 1, 1]);
    beyond.complete();
    expect(sums()).toEqual([10, 2, 2, 1]);
  });

  it('have ended when the clock says so, also if it was set meanwhile', () => {
    let now = 1000;
    const traffic = createTraffic(() => now);
    const ends: unknown[] = [];
    const leave = traffic.watch({ began: () => {}, ended: ({ end }) => ends.push(end) });
    const run = entered(traffic, asked('one'), NEVER).subscribe();
    now += 3_600_000;
    run.unsubscribe();
    leave();
    expect(ends).toEqual([{ at: 3_601_000, outcome: 'left', code: undefined }]);
  });

  it.each([
    ['first', [0, 1, 2]],
    ['last', [2, 1, 0]],
    ['middle', [1, 0, 2]],
    ['middle, then last', [1, 2, 0]],
  ])('are of requests in the order of their arrival, whichever ends first: the %s', (_, ends) => {
    const traffic = createTraffic(() => 0, 3);
    const ids = () => Array.from(traffic.running, ({ id }) => id);
    const runs = ['a', 'b', 'c', 'beyond'].map((id) => entered(traffic, asked(id), NEVER).subscribe());
    runs[3]?.unsubscribe();
    expect([ids(), traffic.beyond]).toEqual([['a', 'b', 'c'], 0]);
    const left = ['a', 'b', 'c'];
    for (const at of ends) {
      runs[at]?.unsubscribe();
      left.splice(left.indexOf('abc'[at] ?? ''), 1);
      const next = entered(traffic, asked('next'), NEVER).subscribe();
      expect([ids(), traffic.running.size]).toEqual([[...left, 'next'], left.length + 1]);
      next.unsubscribe();
      expect([ids(), traffic.running.size]).toEqual([left, left.length]);
    }
  });

  it('are none of a client that is gone already', async () => {
    const traffic = createTraffic(() => 0);
    let asks = 0;
    const events = new Observable<never>(() => {
      asks += 1;
    });
    expect(await subscribeGone(entered(traffic, asked('gone'), events))).toEqual([]);
    expect([asks, traffic.running.size, traffic.beyond]).toEqual([0, 0, 0]);
  });
});
