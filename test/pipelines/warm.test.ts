import { describe, it } from '@jest/globals';
import { concat, EMPTY, map, NEVER, type Observable, of, throwError } from 'rxjs';
import {
  createWarmer,
  type Flow,
  type StreamEvent,
  type Wanted,
  type WarmDeps,
  type WarmEvent,
  type WarmRound,
  warm,
} from '../../pipelines/index.ts';
import { aCandidate, anEntry, chunk, headOf, marbles, textOf } from '../support/pipeline.ts';

type File = Wanted & { readonly skip?: string };
const [a, b, c]: readonly File[] = ['a', 'b', 'c'].map((path) => ({ path, size: 2 })) as [File, File, File];
const error = new Error('feed down');

/** A letter is a chunk of its own; H is the head of a feed, K that of a copy. */
const PARTS: Readonly<Record<string, StreamEvent>> = {
  H: headOf(aCandidate('feed', anEntry())),
  K: headOf(aCandidate('saved', anEntry())),
  a: chunk('a'),
  b: chunk('b'),
  x: chunk('abcd'),
};

/** Events of round `r` by letter: a file in lower case if it was fetched, in upper case if it failed. */
const EVENTS: Readonly<Record<string, WarmEvent<File>>> = {
  p: { type: 'planned', id: 'r', files: 2, bytes: 4 },
  q: { type: 'planned', id: 'r', files: 1, bytes: 2 },
  n: { type: 'planned', id: 'r', files: 0, bytes: 0 },
  a: { type: 'warmed', id: 'r', wanted: a as File, bytes: 2 },
  b: { type: 'warmed', id: 'r', wanted: b as File, bytes: 2 },
  A: { type: 'failed', id: 'r', wanted: a as File, error },
  k: { type: 'skipped', id: 'r', wanted: a as File, reason: 'kept' },
  g: { type: 'skipped', id: 'r', wanted: a as File, reason: 'gave-way' },
  X: { type: 'failed', id: 'r', error },
  d: { type: 'done', id: 'r' },
};

const fetching =
  (events: (path: string) => Observable<StreamEvent>): WarmDeps<File>['fetch'] =>
  ({ path }) =>
    (() => events(path)) as Flow<StreamEvent>;

const warmerOf = (fetch: WarmDeps<File>['fetch'], more: Partial<WarmDeps<File>> = {}) =>
  createWarmer<File>({ fetch, kept: () => EMPTY, concurrency: 1, perSecond: 0, ...more });

const aRound = (files: readonly File[], more: Partial<WarmRound<File>> = {}): WarmRound<File> => ({
  ...{ id: 'r', plan: () => of(files), bytes: 100, allowed: of(true) },
  ...more,
});
const files = (...all: readonly (File | undefined)[]) => all as readonly File[];

describe('createWarmer', () => {
  it('fetches one file after the other, and then what is kept counts', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold<StreamEvent>('H-a-a|', PARTS);
      const second = cold<StreamEvent>('Hbb|', PARTS);
      const kept = cold<never>('--|');
      const run = warmerOf(
        fetching((path) => (path === 'a' ? first : second)),
        { kept: () => kept },
      );
      expectObservable(run(aRound(files(a, b)))).toBe('p------a----(bd|)', EVENTS);
      expectSubscriptions(first.subscriptions).toBe('^----!');
      expectSubscriptions(second.subscriptions).toBe('-------^--!');
      expectSubscriptions(kept.subscriptions).toBe(['-----^-!', '----------^-!']);
    }));

  it('waits until it may, ends its transfer when it may no longer, and begins again', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const file = cold<StreamEvent>('H-a-a|', PARTS);
      const allowed = hot('f-t--f---t', { t: true, f: false });
      const events = warmerOf(fetching(() => file))(aRound(files(a), { allowed }));
      expectObservable(events).toBe('q-------------(ad|)', EVENTS);
      expectSubscriptions(file.subscriptions).toBe(['--^--!', '---------^----!']);
    }));

  it('takes no place while it waits', () =>
    marbles(({ cold, expectObservable }) => {
      const run = warmerOf(fetching(() => cold<StreamEvent>('Haa|', PARTS)));
      expectObservable(run(aRound(files(a), { allowed: concat(of(false), NEVER) }))).toBe('q', EVENTS);
      expectObservable(run(aRound(files(a)))).toBe('q--(ad|)', EVENTS);
    }));

  it('gives a file up that had to give way five times', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const file = cold<StreamEvent>('H', PARTS);
      const allowed = hot('tftftftftft', { t: true, f: false });
      const events = warmerOf(fetching(() => file))(aRound(files(a), { allowed }));
      expectObservable(events).toBe('q---------(gd|)', EVENTS);
      expectSubscriptions(file.subscriptions).toBe(['^!', '--^!', '----^!', '------^!', '--------^!']);
    }));

  it('leaves a file of which there is a copy by now', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const file = cold<StreamEvent>('-K-aaaa|', PARTS);
      const kept = cold<never>('|');
      const run = warmerOf(
        fetching(() => file),
        { kept: () => kept },
      );
      expectObservable(run(aRound(files(a)))).toBe('q(kd|)', EVENTS);
      expectSubscriptions(file.subscriptions).toBe('^!');
      expectSubscriptions(kept.subscriptions).toBe([]);
    }));

  it('goes on after a file that fails, and after one whose copy could not be dated', () =>
    marbles(({ cold, expectObservable }) => {
      const failing = cold<StreamEvent>('H-#', PARTS, error);
      const fine = cold<StreamEvent>('Hbb|', PARTS);
      const fetch = fetching((path) => (path === 'a' ? failing : fine));
      expectObservable(warmerOf(fetch)(aRound(files(a, b)))).toBe('p-A--(bd|)', EVENTS);
      const short = fetching(() => cold<StreamEvent>('Haa|', PARTS));
      const undated = warmerOf(short, { kept: () => throwError(() => error) });
      expectObservable(undated(aRound(files(a)))).toBe('q--(Ad|)', EVENTS);
    }));

  it('stays within the bytes of the round, and says what it leaves', () =>
    marbles(({ expectObservable }) => {
      const unknown = { path: 'u' };
      const metered = { path: 'm', size: 1, skip: 'metered' };
      const round = aRound([{ path: 'l', size: 9 }, unknown, metered], { bytes: 8 });
      const skipped = (wanted: File, reason: string) => ({ type: 'skipped', id: 'r', wanted, reason });
      expectObservable(warmerOf(fetching(() => NEVER))(round)).toBe('(nlumd|)', {
        ...EVENTS,
        l: skipped({ path: 'l', size: 9 }, 'limit'),
        u: skipped(unknown, 'size-unknown'),
        m: skipped(metered, 'metered'),
      });
    }));

  it('counts the bytes of each file against those of the round, to the last one', () =>
    marbles(({ cold, expectObservable }) => {
      const run = warmerOf(fetching(() => cold<StreamEvent>('(Haa|)', PARTS)));
      const round = aRound([...files(a, b), { path: 'l', size: 1 }], { bytes: 4 });
      expectObservable(run(round)).toBe('(plabd|)', {
        ...EVENTS,
        l: { type: 'skipped', id: 'r', wanted: { path: 'l', size: 1 }, reason: 'limit' },
      });
    }));

  it('keeps to its rate, whatever comes at once', () =>
    marbles(({ cold, expectObservable }) => {
      const file = cold<StreamEvent>('(Hx|)', PARTS);
      // A token of 100 ms is one byte: the first is there at the beginning.
      const events = warmerOf(
        fetching(() => file),
        { perSecond: 10 },
      )(aRound(files(a)));
      expectObservable(events).toBe('q 299ms (xd|)', {
        ...EVENTS,
        x: { type: 'warmed', id: 'r', wanted: a, bytes: textOf(chunk('abcd').bytes).length },
      });
    }));

  it('reports a plan that cannot be made, and completes', () =>
    marbles(({ expectObservable }) => {
      const round = aRound([], { plan: () => throwError(() => error) });
      expectObservable(warmerOf(fetching(() => NEVER))(round)).toBe('(X|)', EVENTS);
    }));

  it('ends its transfers when it is left', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const file = cold<StreamEvent>('H', PARTS);
      expectObservable(warmerOf(fetching(() => file))(aRound(files(a, b))), '--!').toBe('p', EVENTS);
      expectSubscriptions(file.subscriptions).toBe('^-!');
    }));
});

describe('warm', () => {
  it('has a later round of a repository take the place of an earlier one, and others take turns', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const file = cold<StreamEvent>('H--aa|', PARTS);
      const rounds = hot('1-2-3|', { 1: aRound(files(a)), 2: aRound(files(a)), 3: aRound(files(c), { id: 's' }) });
      const events = warm(rounds, warmerOf(fetching(() => file)));
      expectObservable(events.pipe(map(({ type, id }) => `${id} ${type}`))).toBe('p-p-q--(ad)-(be|)', {
        ...{ p: 'r planned', q: 's planned', a: 'r warmed', d: 'r done', b: 's warmed', e: 's done' },
      });
      expectSubscriptions(file.subscriptions).toBe(['^-!', '--^----!', '-------^----!']);
    }));
});
