import { describe, expect, it } from '@jest/globals';
import { concat, defer, EMPTY, finalize, NEVER, of, range } from 'rxjs';
import { limitConcurrency } from '../../../pipelines/operators/limit-concurrency.ts';
import { marbles } from '../../support/pipeline.ts';
import { twoPlaces } from './limit-concurrency.diagram.ts';

describe('limitConcurrency', () => {
  it('admits streams up to the number of places, then the others in their order', () => marbles(twoPlaces.holds));

  it('frees a place after an error and after an unsubscription', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const gate = limitConcurrency(1);
      const failing = cold('--#');
      const left = cold('   -----');
      const last = cold('   a|');
      expectObservable(failing.pipe(gate)).toBe(' --#');
      expectObservable(left.pipe(gate), '        ^---!').toBe('-----');
      expectObservable(last.pipe(gate)).toBe('    ----a|');
      expectSubscriptions(left.subscriptions).toBe('--^-!');
      expectSubscriptions(last.subscriptions).toBe('----^!');
    }));

  it('gives a stream the places it needs, at most all, and keeps the order', () =>
    marbles(({ cold, expectObservable }) => {
      const gate = limitConcurrency(3);
      expectObservable(gate(cold('a---|'), 2)).toBe('  a---|');
      expectObservable(gate(cold('b-|'), 2)).toBe('    ----b-|');
      expectObservable(gate(cold('c|'))).toBe('       ----c|');
      expectObservable(gate(cold('d|'), 99)).toBe('   ------d|');
    }));

  it('serves owners in turn', () =>
    marbles(({ cold, expectObservable }) => {
      const gate = limitConcurrency(1);
      const streams = [
        ['1', 'many'],
        ['2', 'many'],
        ['3', 'many'],
        ['a', 'few'],
        ['b', 'few'],
      ] as const;
      const began: string[] = [];
      for (const [name, owner] of streams)
        expectObservable(
          gate(
            defer(() => {
              began.push(name);
              return cold('-|');
            }),
            1,
            owner,
          ),
        );
      expectObservable(cold('10ms |').pipe(finalize(() => expect(began).toEqual(['1', '2', 'a', '3', 'b']))));
    }));

  it('removes a stream that is unsubscribed while it waits', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const gate = limitConcurrency(1);
      const first = cold(' ------|');
      const leaver = cold('a');
      const last = cold('  b|');
      expectObservable(first.pipe(gate)).toBe('------|');
      expectObservable(leaver.pipe(gate), '    ^--!').toBe('----');
      expectObservable(last.pipe(gate)).toBe(' ------b|');
      expectSubscriptions(leaver.subscriptions).toBe([]);
    }));

  it('closes a source before the next one takes its place', () => {
    const gate = limitConcurrency(1);
    const log: string[] = [];
    const first = NEVER.pipe(
      finalize(() => log.push('first closed')),
      gate,
    ).subscribe();
    defer(() => {
      log.push('second opened');
      return EMPTY;
    })
      .pipe(gate)
      .subscribe();
    first.unsubscribe();
    expect(log).toEqual(['first closed', 'second opened']);
  });

  it('admits a subscription made during an end: a retry takes the place that its failure frees', () => {
    const gate = limitConcurrency(1);
    const log: number[] = [];
    concat(of(1).pipe(gate), of(2).pipe(gate)).subscribe((value) => log.push(value));
    expect(log).toEqual([1, 2]);
  });

  it('admits any number of sources that end at once, without nesting', () => {
    const gate = limitConcurrency(1);
    const first = NEVER.pipe(gate).subscribe();
    let passed = 0;
    range(0, 50_000).subscribe(() =>
      of(1)
        .pipe(gate)
        .subscribe(() => {
          passed += 1;
        }),
    );
    expect(passed).toBe(0);
    first.unsubscribe();
    expect(passed).toBe(50_000);
  });
});
