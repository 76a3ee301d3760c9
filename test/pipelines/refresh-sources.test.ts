import { describe, expect, it } from '@jest/globals';
import {
  asyncScheduler,
  concat,
  defer,
  filter,
  finalize,
  map,
  NEVER,
  type Observable,
  of,
  startWith,
  timer,
} from 'rxjs';
import {
  type RefreshEvent,
  type RefreshProgress,
  type RefreshSourcesDeps,
  refreshOnce,
  refreshSources,
} from '../../pipelines/index.ts';
import { inTurn, marbles } from '../support/pipeline.ts';
import { beforeTheyExpire } from './refresh-sources.diagram.ts';

interface Source {
  readonly id: string;
}
const a: Source = { id: 'a' };
const b: Source = { id: 'b' };
const error = new Error('repository down');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const progress: RefreshProgress = { units: 7, file: 'primary', bytes: 70 };
const always = <T>(value: T): Observable<T> => NEVER.pipe(startWith(value));

/** Events by letter: lower case for a, upper case for b. */
const EVENTS: Readonly<Record<string, RefreshEvent<Source>>> = {
  s: { type: 'started', source: a },
  p: { type: 'progress', source: a, progress },
  d: { type: 'done', source: a, units: 7 },
  y: { type: 'busy', source: a },
  S: { type: 'started', source: b },
  P: { type: 'progress', source: b, progress },
  D: { type: 'done', source: b, units: 7 },
};
const failed = (delay: number, thrown: unknown = error): RefreshEvent<Source> => ({
  type: 'failed',
  source: a,
  error: thrown,
  delay,
});

/** A catalog whose offers last for a while, and refreshes that take time. */
const aCatalog = ({ life = 100, takes = 2 } = {}) => {
  const until = new Map<string, number>();
  return {
    until,
    freshFor: ({ id }: Source) => defer(() => of(Math.max(0, (until.get(id) ?? 0) - asyncScheduler.now()))),
    refresh: ({ id }: Source) =>
      timer(takes).pipe(
        map(() => {
          until.set(id, asyncScheduler.now() + life);
          return progress;
        }),
      ),
  };
};

const deps = (more: Partial<RefreshSourcesDeps<Source>>): RefreshSourcesDeps<Source> => ({
  sources: always([a]),
  lease: () => always(true),
  ...aCatalog(),
  concurrency: 2,
  spread: 0,
  wait: 10,
  waitLimit: 40,
  random: () => 1,
  ...more,
});

describe('refreshSources', () => {
  it('refreshes a source without offers at once, and again before they expire', () => marbles(beforeTheyExpire.holds));

  it('refreshes a source without offers soon, at a random time, and again before its offers expire', () =>
    marbles(({ expectObservable }) => {
      const events = (random: number) => refreshSources(deps({ ...aCatalog(), spread: 10, random: () => random }));
      expectObservable(events(1), '150ms !').toBe('10ms s-(pd) 86ms s-(pd)', EVENTS);
      expectObservable(events(0), '90ms !').toBe('s-(pd) 76ms s-(pd)', EVENTS);
    }));

  it('leaves fresh sources alone until most of their time has passed, even beyond the longest timer', () =>
    marbles(({ expectObservable, flush }) => {
      const catalog = aCatalog({ life: 30 * DAY });
      catalog.until.set('a', 30 * DAY);
      const started: number[] = [];
      const asked = [0];
      const freshFor = (source: Source) => {
        asked.push(asyncScheduler.now() / DAY);
        return catalog.freshFor(source);
      };
      const events = refreshSources(deps({ ...catalog, freshFor })).pipe(
        map(() => started.push(asyncScheduler.now() / DAY)),
      );
      expectObservable(events, `${30 * 24 * 3600}s !`);
      flush();
      expect(started[0]).toBeGreaterThan(24);
      expect(started[0]).toBeLessThan(30);
      const waits = asked.map((at, index) => at - (asked[index - 1] ?? 0));
      expect(Math.max(...waits) * DAY).toBeLessThan(2 ** 31);
    }));

  it('waits for a whole day with one timer', () =>
    marbles(({ expectObservable, flush }) => {
      // Their eight tenths are a day.
      const catalog = aCatalog({ life: 30 * HOUR });
      catalog.until.set('a', 30 * HOUR);
      const asked: number[] = [];
      const freshFor = (source: Source) => {
        asked.push(asyncScheduler.now());
        return catalog.freshFor(source);
      };
      const events = refreshSources(deps({ ...catalog, freshFor, random: () => 0 }));
      expectObservable(events, `${24 * 3600}s -!`).toBe(`${24 * 3600}s s-`, EVENTS);
      flush();
      expect(asked).toEqual([0, DAY]);
    }));

  it('waits between refreshes as long as after a failure, even if offers expire sooner', () =>
    marbles(({ expectObservable }) => {
      const events = refreshSources(deps(aCatalog({ life: 1 })));
      expectObservable(events, '20ms !').toBe('s-(pd) 6ms s-(pd)', EVENTS);
    }));

  it('limits concurrent refreshes', () =>
    marbles(({ expectObservable }) => {
      const events = refreshSources(deps({ ...aCatalog({ takes: 10 }), sources: always([a, b]), concurrency: 1 }));
      expectObservable(events, '50ms !').toBe('s 9ms (pdS) 5ms (PD)', EVENTS);
    }));

  it('puts off a source that fails, longer each time until it succeeds', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const failing = cold<RefreshProgress>('-#', {}, error);
      const fine = cold<RefreshProgress>('   --(p|)', { p: progress });
      const refresh = inTurn(failing, failing, fine, failing);
      const events = refreshSources(deps({ refresh, freshFor: () => of(0) }));
      // After the success, the minimum wait of 10, then the wait of a first failure.
      const result = 'sx 9ms sX 19ms s-(pd) 6ms sx';
      expectObservable(events, '46ms !').toBe(result, { ...EVENTS, x: failed(10), X: failed(20) });
      expectSubscriptions(failing.subscriptions).toBe(['^!', '11ms ^!', '44ms ^!']);
    }));

  it('puts off a source whose freshness is unavailable', () =>
    marbles(({ cold, expectObservable }) => {
      const freshFor = inTurn(cold<number>('#', {}, error), of(0), of(1000));
      expectObservable(refreshSources(deps({ freshFor })), '30ms !').toBe('x 9ms s-(pd)', {
        ...EVENTS,
        x: failed(10),
      });
    }));

  it('leaves a source that another process refreshes, and uses its offers', () =>
    marbles(({ cold, expectObservable }) => {
      const catalog = aCatalog();
      cold('-----x').subscribe(() => catalog.until.set('a', 110));
      const lease = inTurn(of(false), always(true), always(true));
      const events = refreshSources(deps({ ...catalog, lease }));
      // At 10 the offers are fresh for 100 more: the next refresh is at 10 + 0.9 × 100.
      expectObservable(events, '105ms !').toBe('y 99ms s-(pd)', EVENTS);
    }));

  it('comes back to a source that another process refreshes at a random time', () =>
    marbles(({ expectObservable }) => {
      const again = (random: number) =>
        refreshSources(deps({ lease: inTurn(of(false), always(true)), random: () => random }));
      expectObservable(again(0), '9ms !').toBe('y 4ms s-(pd)', EVENTS);
      expectObservable(again(1), '14ms !').toBe('y 9ms s-(pd)', EVENTS);
    }));

  it('stops a refresh whose lease is lost, and releases the lease at its end', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const lost = cold<boolean>('t---f', { t: true, f: false });
      const kept = cold<boolean>('t', { t: true });
      const running = cold<RefreshProgress>('-----');
      const done = cold<RefreshProgress>('--(p|)', { p: progress });
      const text = 'the lease on a was lost: another process may be refreshing it';
      const events = refreshSources(
        deps({
          lease: inTurn(lost, kept),
          refresh: inTurn(running, done),
          freshFor: inTurn(of(0), of(0), of(0), of(1000)),
        }),
      );
      expectObservable(events, '40ms !').toBe('s---x 9ms s-(pd)', { ...EVENTS, x: failed(10, new Error(text)) });
      expectSubscriptions(running.subscriptions).toBe('^---!');
      expectSubscriptions(lost.subscriptions).toBe('^---!');
      expectSubscriptions(kept.subscriptions).toBe('14ms ^-!');
    }));

  it('leaves only the source that is removed or changed, at once', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const anew: Source = { id: 'a' };
      const sources = hot('i--j--k', { i: [a, b], j: [anew, b], k: [b] });
      const ofA = cold<RefreshProgress>('----------');
      const ofB = cold<RefreshProgress>('--------(p|)', { p: progress });
      const refresh = ({ id }: Source) => (id === 'a' ? ofA : ofB);
      const events = refreshSources(deps({ sources, refresh, freshFor: () => of(0), concurrency: 3 }));
      expectObservable(events.pipe(filter(({ type }) => type === 'done')), '12ms !').toBe('--------D', EVENTS);
      expectSubscriptions(ofA.subscriptions).toBe(['^--!', '---^--!']);
      expectSubscriptions(ofB.subscriptions).toBe('^-------!');
    }));

  it('stops every refresh when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const running = cold<RefreshProgress>('-----');
      const lease = cold<boolean>('          t', { t: true });
      const sources = cold('                 a', { a: [a] });
      const events = refreshSources(deps({ sources, refresh: () => running, lease: () => lease }));
      expectObservable(events, '---!').toBe('s', EVENTS);
      expectSubscriptions(running.subscriptions).toBe('^--!');
      expectSubscriptions(lease.subscriptions).toBe('  ^--!');
      expectSubscriptions(sources.subscriptions).toBe('^--!');
    }));

  it('errors only with the list of sources', () =>
    marbles(({ cold, expectObservable }) => {
      const sources = concat(of([a]), cold<Source[]>('-----#', {}, error));
      expectObservable(refreshSources(deps({ sources, refresh: () => NEVER }))).toBe('s----#', EVENTS, error);
    }));
});

describe('refreshOnce', () => {
  it('emits the events of a refresh, and then releases the lease', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const lease = cold<boolean>('-t', { t: true });
      const refresh = cold<RefreshProgress>('--p-|', { p: progress });
      const result = '-s-p-(d|)';
      expectObservable(refreshOnce(a, { refresh: () => refresh, lease: () => lease })).toBe(result, EVENTS);
      expectSubscriptions(lease.subscriptions).toBe('^----!');
    }));

  it('emits only `busy` while another process refreshes the source', () =>
    marbles(({ cold, expectObservable }) => {
      const lease = () => cold<boolean>('-(f|)', { f: false });
      expectObservable(refreshOnce(a, { refresh: () => NEVER, lease })).toBe('-(y|)', EVENTS);
    }));

  it('fails as the refresh does, and releases the lease', () => {
    let returned = 0;
    const lease = () => always(true).pipe(finalize(() => returned++));
    marbles(({ cold, expectObservable }) => {
      const refresh = () => cold<RefreshProgress>('-#', {}, error);
      expectObservable(refreshOnce(a, { refresh, lease })).toBe('s#', EVENTS, error);
    });
    expect(returned).toBe(1);
  });
});
