import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, type Observable, Subject, startWith, timer } from 'rxjs';
import { type DeliverSavesDeps, type Delivery, deliverSaves } from '../../pipelines/deliver-saves.ts';
import type { Dispatch, PendingSaveRequest } from '../../pipelines/index.ts';
import { anEntry, inTurn, marbles } from '../support/pipeline.ts';
import { putOff as putOffOnce } from './deliver-saves.diagram.ts';

const saveOf = (id: number, failures = 0): PendingSaveRequest => ({
  id,
  failures,
  requestId: `r${id}`,
  entry: anEntry(),
});
const a = saveOf(1);
const b = saveOf(2);
const c = saveOf(3);
const error = new Error('broker down');

const delivered = (save: PendingSaveRequest): Delivery => ({ type: 'delivered', save });
const putOff = (save: PendingSaveRequest, delay: number): Delivery => ({ type: 'put-off', save, error, delay });

/** An outbox of the given save requests, with streams of its removals and postponements. */
const anOutbox = (due: Observable<PendingSaveRequest>) => {
  const removed = new Subject<PendingSaveRequest>();
  const postponed = new Subject<[PendingSaveRequest, number, string]>();
  return {
    removed,
    postponed,
    outbox: {
      due,
      remove: (save: PendingSaveRequest) => removed.next(save),
      putOff: (save: PendingSaveRequest, delay: number, reason: string) => postponed.next([save, delay, reason]),
    },
  };
};

const deps = (more: Pick<DeliverSavesDeps, 'outbox' | 'dispatch'> & Partial<DeliverSavesDeps>): DeliverSavesDeps => ({
  concurrency: 2,
  wait: 10,
  waitLimit: 100,
  random: () => 1,
  ...more,
});

describe('deliverSaves', () => {
  it('delivers each save request that is due, and again after it was put off', () => marbles(putOffOnce.holds));

  it('removes a save request only once its dispatch has completed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const due = cold('        -a------', { a });
      const dispatched = cold<never>('--|');
      const windows = '         -^-!';
      const result = '          ---a----';
      const { outbox, removed, postponed } = anOutbox(due);
      expectObservable(removed).toBe(result, { a });
      expectObservable(postponed).toBe('--------');
      expectObservable(deliverSaves(deps({ outbox, dispatch: () => dispatched }))).toBe(result, { a: delivered(a) });
      expectSubscriptions(dispatched.subscriptions).toBe(windows);
    }));

  it('removes a save request that its dispatch declines, and reports the reason', () =>
    marbles(({ cold, expectObservable }) => {
      const due = cold('         -a------', { a });
      const dispatched = cold('   --r|', { r: 'no such unit' });
      const { outbox, removed, postponed } = anOutbox(due);
      expectObservable(removed).toBe('  ----a---', { a });
      expectObservable(postponed).toBe('--------');
      const declined: Delivery = { type: 'declined', save: a, reason: 'no such unit' };
      expectObservable(deliverSaves(deps({ outbox, dispatch: () => dispatched }))).toBe('----a---', { a: declined });
    }));

  it('limits concurrent deliveries and keeps their order', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const due = cold('             (abc)---', { a, b, c });
      const dispatches = [cold<never>('---|'), cold<never>('-----|'), cold<never>('--|')];
      const windows = ['             ^--!', '^----!', '---^-!'];
      const result = '               ---a-(bc)';
      const { outbox } = anOutbox(due);
      const expected = { a: delivered(a), b: delivered(b), c: delivered(c) };
      expectObservable(deliverSaves(deps({ outbox, dispatch: inTurn(...dispatches) }))).toBe(result, expected);
      for (const [at, { subscriptions }] of dispatches.entries()) expectSubscriptions(subscriptions).toBe(windows[at]!);
    }));

  it('puts off a save request whose dispatch fails, and delivers the others', () =>
    marbles(({ cold, expectObservable }) => {
      const due = cold('                       -ab-----', { a, b });
      const dispatches = [cold<never>('--#', {}, error), cold<never>('--|')];
      const result = '                         ---ab---';
      const { outbox, removed, postponed } = anOutbox(due);
      expectObservable(postponed).toBe('       ---a----', { a: [a, 10, 'broker down'] });
      expectObservable(removed).toBe('         ----b---', { b });
      expectObservable(deliverSaves(deps({ outbox, dispatch: inTurn(...dispatches) }))).toBe(result, {
        a: putOff(a, 10),
        b: delivered(b),
      });
    }));

  it('treats a dispatch that throws like one that fails', () =>
    marbles(({ cold, expectObservable }) => {
      const { outbox } = anOutbox(cold('ab-', { a, b }));
      const dispatch: Dispatch = ({ id }) => {
        if (id === a.id) throw error;
        return EMPTY;
      };
      const expected = { a: putOff(a, 10), b: delivered(b) };
      expectObservable(deliverSaves(deps({ outbox, dispatch }))).toBe('ab-', expected);
    }));

  it.each([
    { failures: 0, random: 1, delay: 10 },
    { failures: 0, random: 0, delay: 5 },
    { failures: 1, random: 1, delay: 20 },
    { failures: 3, random: 0.5, delay: 60 },
    { failures: 4, random: 1, delay: 100 },
    { failures: 5000, random: 0, delay: 50 },
  ])('waits $delay ms after $failures earlier failures, jitter $random', ({ failures, random, delay }) =>
    marbles(({ cold, expectObservable }) => {
      const s = saveOf(1, failures);
      const { outbox } = anOutbox(cold('s', { s }));
      const dispatch = () => cold<never>('#', {}, error);
      const events = deliverSaves(deps({ outbox, dispatch, random: () => random }));
      expectObservable(events).toBe('s', { s: putOff(s, delay) });
    }),
  );

  it('delivers a save request again if the outbox emits it again', () =>
    marbles(({ cold, expectObservable }) => {
      const due = new Subject<PendingSaveRequest>();
      const { outbox, removed } = anOutbox(due.pipe(startWith(a)));
      const again = (save: PendingSaveRequest, delay: number) => {
        timer(delay).subscribe(() => due.next({ ...save, failures: save.failures + 1 }));
      };
      const dispatch = inTurn(cold<never>('-#', {}, error), cold<never>('-#', {}, error), cold<never>('-|'));
      const last = { ...a, failures: 2 };
      expectObservable(removed).toBe('- 32ms r', { r: last });
      expectObservable(deliverSaves(deps({ outbox: { ...outbox, putOff: again }, dispatch }))).toBe(
        '-a 10ms b 20ms c',
        { a: putOff(a, 10), b: putOff({ ...a, failures: 1 }, 20), c: delivered(last) },
      );
    }));

  it('abandons deliveries in progress when unsubscribed, and leaves the outbox untouched', () =>
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const due = hot('          -a--b---', { a, b });
      const dispatched = cold<never>('------|');
      const until = '            ^----!';
      const windows = ['         -^---!', '----^!'];
      const { outbox, removed, postponed } = anOutbox(due);
      expectObservable(deliverSaves(deps({ outbox, dispatch: () => dispatched })), until).toBe('------');
      expectObservable(removed).toBe('------');
      expectObservable(postponed).toBe('------');
      expectSubscriptions(dispatched.subscriptions).toBe(windows);
      expectSubscriptions(due.subscriptions).toBe(until);
    }));

  it('completes with the outbox once the last delivery has ended, and errors with it', () =>
    marbles(({ cold, expectObservable }) => {
      const events = (due: string, dispatch: string) => {
        const { outbox } = anOutbox(cold(due, { a }, error));
        return deliverSaves(deps({ outbox, dispatch: () => cold<never>(dispatch) }));
      };
      expectObservable(events('a-|', '---|')).toBe('---(a|)', { a: delivered(a) });
      expectObservable(events('a-#', '---|')).toBe('--#', {}, error);
    }));

  it('calls neither outbox nor dispatch before it is subscribed', () => {
    let asked = 0;
    const { outbox } = anOutbox(NEVER);
    deliverSaves(
      deps({
        outbox,
        dispatch: () => {
          asked += 1;
          return EMPTY;
        },
      }),
    );
    expect(asked).toBe(0);
  });

  it('gives a save request up that fails after its time, and puts one of unknown age off', () =>
    marbles(({ cold, expectObservable }) => {
      const old = { ...a, notedAt: 899 };
      const young = { ...b, notedAt: 900 };
      const { outbox, removed, postponed } = anOutbox(cold('abc-', { a: old, b: young, c }));
      expectObservable(removed).toBe('a---', { a: old });
      expectObservable(postponed).toBe('-bc-', { b: [young, 10, 'broker down'], c: [c, 10, 'broker down'] });
      const dispatch = () => cold<never>('#', {}, error);
      const patience = { maxAge: () => 100, now: () => 1_000 };
      const reason = 'given up, since it could not be delivered for too long (saves_max_age): broker down';
      expectObservable(deliverSaves(deps({ outbox, dispatch, patience }))).toBe('abc-', {
        a: { type: 'declined', save: old, reason },
        b: putOff(young, 10),
        c: putOff(c, 10),
      });
    }));

  it('gives no save request up if its age has no limit, or nothing is known of it', () =>
    marbles(({ cold, expectObservable }) => {
      const dispatch = () => cold<never>('#', {}, error);
      const old = { ...a, notedAt: 0 };
      for (const patience of [{ maxAge: () => 0, now: () => 1_000 }, undefined]) {
        const { outbox } = anOutbox(cold('a-', { a: old }));
        expectObservable(deliverSaves(deps({ outbox, dispatch, patience }))).toBe('a-', { a: putOff(old, 10) });
      }
    }));
});
