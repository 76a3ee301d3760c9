import { describe, expect, it } from '@jest/globals';
import { catchError, concat, map, Observable, of, takeWhile, throwError, timer } from 'rxjs';
import {
  attempts,
  type Chunk,
  createHealth,
  type Head,
  type Note,
  type Policy,
  type SourceEvent,
  type Start,
  StreamError,
} from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import {
  aCandidate,
  aPolicy,
  aRequest,
  chunk,
  entryOf,
  headOf,
  inTurn,
  marbles,
  newDigest,
  sourceHead,
  textOf,
  unpaused,
} from '../../../support/pipeline.ts';

const entry = entryOf('ab');
const [first, second] = [aCandidate('first', entry), aCandidate('second', entry)];
const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');
const gone = new StreamError('SOURCE_MISSING', 'feed', 'gone');

/** Events of sources: `h` the head, `1` one that starts at byte 1, letters the body. */
const EVENTS: Record<string, SourceEvent> = {
  h: sourceHead({ length: 2 }),
  '1': sourceHead({ length: 2, from: 1 }),
  a: chunk('a'),
  b: chunk('b'),
};

/**
 * `L` the list of candidates, `T` an attempt, `F` its failure, `R` that the body is resumed; `h`
 * the head, letters the body.
 */
const letterOf = (event: Head | Chunk | Note): string => {
  if (event.type === 'head') return 'h';
  if (event.type === 'chunk') return textOf(event.bytes);
  return {
    found: 'L',
    attempt: 'T',
    asked: 'A',
    failed: 'F',
    resumed: 'R',
    recorded: '',
    shared: '',
    behind: '',
    'on-disk': '',
  }[event.type];
};

/** The stage with sources that answer in turn. */
const tried = (candidates: readonly (typeof first)[], ...answers: Observable<SourceEvent>[]): Observable<string> =>
  triedWith({}, candidates, ...answers);

interface Settings extends Partial<Policy> {
  readonly answerBy?: number;
  readonly random?: () => number;
  /** Milliseconds until the head of each source, usually. */
  readonly usual?: number;
  readonly start?: Start;
}

const triedWith = (
  { answerBy, random = () => 1, usual, start, ...policy }: Settings,
  candidates: readonly (typeof first)[],
  ...answers: Observable<SourceEvent>[]
): Observable<string> => {
  const open = unpaused(inTurn(...answers));
  const health = usual !== undefined && {
    ...createHealth({ cooldown: 0, cooldownLimit: 0, random: () => 1 }),
    usualHead: () => usual,
  };
  const deps = { newDigest, random, policy: aPolicy({ retryWait: 4, ...policy }), open, ...(health && { health }) };
  return of(candidates).pipe(under(OPEN, attempts(aRequest({ answerBy }), deps, start)), map(letterOf));
};

describe('attempts', () => {
  it('emits the list, then tries the first candidate', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('     -----h-a---b|', EVENTS);
      expectObservable(tried([first, second], source)).toBe('(LT)---(ha)b|');
      expectSubscriptions(source.subscriptions).toBe('       ^-----------!');
    }));

  it('leaves a source that failed before it opens the next, in the same frame', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const missing = cold<SourceEvent>('-----#', {}, gone);
      const good = cold('                 -----h-a---b|', EVENTS);
      expectObservable(tried([first, second], missing, good)).toBe('(LT)-(FT)---(ha)b|');
      expectSubscriptions(missing.subscriptions).toBe('^----!');
      expectSubscriptions(good.subscriptions).toBe('   -----^-----------!');
    }));

  it('continues mid-body from another source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const dies = cold('          -----h-a---#', EVENTS, gone);
      const goesOn = cold('                 -----1-b|', EVENTS);
      const result = '             (LT)---(ha)(FT)-R-b|';
      expectObservable(tried([first, second], dies, goesOn)).toBe(result);
      expectSubscriptions(dies.subscriptions).toBe('  ^----------!');
      expectSubscriptions(goesOn.subscriptions).toBe('-----------^-------!');
    }));

  it('has a source start over that continues a copy whose bytes were checked', () =>
    marbles(({ cold, expectObservable }) => {
      const copy = { ...first, blocks: { length: 2, crc32: Uint32Array.of(1) } };
      const events = { ...EVENTS, h: sourceHead({ length: 2, checked: true }), s: EVENTS.h as SourceEvent };
      const damaged = cold('-----h-a---#', events, new StreamError('CHANGED', 'disk', 'changed'));
      const other = cold('          -----s-a-b---|', events);
      expectObservable(tried([copy, second], damaged, other)).toBe('(LT)---(ha)(FT)-----(Rb)|');
    }));

  it('replaces small content that is wrong while its client has only the head', () =>
    marbles(({ cold, expectObservable }) => {
      const start = { head: headOf(first, { length: 2, total: 2 }), sent: 0 };
      const wrong = cold('-----h-b-b-|', EVENTS);
      const right = cold('           -----h-a-b-|', EVENTS);
      const result = '    (LT)-------(FT)-------(Rab|)';
      expectObservable(triedWith({ start, verifyWholeBelow: 2 }, [first, second], wrong, right)).toBe(result);
    }));

  it('waits before it tries the only candidate again, and stops the timer when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answers = () => [cold<SourceEvent>('-----#', {}, lost), cold('-ha', EVENTS)] as const;
      const [one, again] = answers();
      const unsubscribed = '                               ^-----------!';
      expectObservable(tried([first], one, again), unsubscribed).toBe('(LT)-F---T-(ha)');
      expectSubscriptions(one.subscriptions).toBe('        ^----!');
      expectSubscriptions(again.subscriptions).toBe('      ---------^--!');

      const [other, never] = answers();
      expectObservable(tried([first], other, never), '     ^-------!').toBe('(LT)-F');
      expectSubscriptions(never.subscriptions).toBe([]);
    }));

  it('completes without a list', () =>
    marbles(({ cold, expectObservable }) => {
      const deps = { newDigest, random: () => 1, policy: aPolicy(), open: unpaused(inTurn()) };
      const lists = cold<readonly (typeof first)[]>('--|');
      expectObservable(lists.pipe(under(OPEN, attempts(aRequest(), deps)))).toBe('--|');
    }));

  it.each([{}, { hedge: true, usual: 9 }])(
    'asks no further source once its consumer has left at a failure, with %j',
    (settings) =>
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const missing = cold<SourceEvent>('-----#', {}, gone);
        const others = [cold('-ha', EVENTS), cold('-ha', EVENTS)];
        const third = aCandidate('third', entry);
        const letters = triedWith(settings, [first, second, third], missing, ...others);
        expectObservable(letters.pipe(takeWhile((letter) => letter !== 'F', true))).toBe('(LT)-(F|)');
        for (const { subscriptions } of others) expectSubscriptions(subscriptions).toBe([]);
      }),
  );

  it('closes the failed source before it opens the next', () => {
    const log: string[] = [];
    const failing = (name: string) =>
      new Observable<SourceEvent>((out) => {
        log.push(`opens ${name}`);
        out.add(() => log.push(`closes ${name}`));
        out.error(gone);
      });
    tried([first, second], failing('first'), failing('second')).subscribe({ error: () => {} });
    expect(log).toEqual(['opens first', 'closes first', 'opens second', 'closes second']);
  });

  it('errors if what it depends on throws', () =>
    marbles(({ cold, expectObservable }) => {
      const broken = new Error('no randomness');
      const random = () => {
        throw broken;
      };
      const missing = cold<SourceEvent>('-----#', {}, lost);
      expectObservable(triedWith({ random }, [first], missing)).toBe('(LT)-(F#)', undefined, broken);
    }));

  it('leaves a silent source after the time for its head, if no answer is due', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const silent = cold<SourceEvent>('-');
      const good = cold('        --h-a---b|', EVENTS);
      expectObservable(triedWith({ headTimeout: 6 }, [first, second], silent, good)).toBe('(LT)--(FT)(ha)b|');
      expectSubscriptions(silent.subscriptions).toBe('^-----!');
    }));

  it('asks the first source even if the answer is due already', () =>
    marbles(({ cold, expectObservable }) => {
      const quick = cold('(hab|)', EVENTS);
      expectObservable(triedWith({ answerBy: 0 }, [first], quick)).toBe('(LThab|)');
    }));

  it('does not wait for an attempt that could not answer in time', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answers = () => [cold<SourceEvent>('-----#', {}, lost), cold('(hab|)', EVENTS)] as const;
      const [dies, late] = answers();
      expectObservable(triedWith({ answerBy: 9 }, [first], dies, late)).toBe('(LT)-(F#)', undefined, lost);
      expectSubscriptions(late.subscriptions).toBe([]);
      const [again, inTime] = answers();
      expectObservable(triedWith({ answerBy: 10 }, [first], again, inTime)).toBe('(LT)-F---(Thab|)');
    }));

  it('keeps half of the time for other sources, and none from the last', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [silent, other] = [cold<SourceEvent>('-'), cold<SourceEvent>('-')];
      const settings = { answerBy: 20, attempts: 2 };
      const error = 'errors' as never;
      expectObservable(
        triedWith(settings, [first, second], silent, other).pipe(catchError(() => throwError(() => error))),
      ).toBe('(LT) 6ms (FT) 6ms (F#)', undefined, error);
      expectSubscriptions(silent.subscriptions).toBe('^ 9ms !');
      expectSubscriptions(other.subscriptions).toBe('10ms ^ 9ms !');
    }));

  it('continues a body whatever time its answer was due', () =>
    marbles(({ cold, expectObservable }) => {
      const dies = cold('---h-a-----#', EVENTS, gone);
      const goesOn = cold('            -----1-b|', EVENTS);
      expectObservable(triedWith({ answerBy: 14 }, [first, second], dies, goesOn)).toBe('(LT)-(ha)--(FT)-R-b|');
    }));

  it('asks no rival without knowing when heads usually come', () =>
    marbles(({ cold, expectObservable }) => {
      const slow = cold('---------h-a---b|', EVENTS);
      expectObservable(triedWith({ hedge: true }, [first, second], slow)).toBe('(LT)-------(ha)b|');
    }));

  it('asks no rival that must be waited for', () =>
    marbles(({ cold, expectObservable }) => {
      const failing = () => cold<SourceEvent>('-----#', {}, lost);
      const slow = cold('---------h-a---b|', EVENTS);
      expectObservable(triedWith({ hedge: true, usual: 6 }, [first, second], failing(), failing(), slow)).toBe(
        '(LT)-(FT)-F---T----------(ha)b|',
      );
    }));

  it('emits a note when its source is asked after a wait for a place', () =>
    marbles(({ cold, expectObservable }) => {
      const open = unpaused((_, { waits }) => {
        waits?.(true);
        timer(4).subscribe(() => waits?.(false));
        return cold('     -----h-a---b|', EVENTS);
      });
      const deps = { newDigest, random: () => 1, policy: aPolicy(), open };
      expectObservable(of([first]).pipe(under(OPEN, attempts(aRequest(), deps)), map(letterOf))).toBe('(LT)A--(ha)b|');
    }));

  it('continues a copy at the exact byte by one that checks its bytes, too', () => {
    const copy = (name: string) => ({ ...aCandidate(name, entry), blocks: { length: 2, crc32: Uint32Array.of(1) } });
    const asked: number[] = [];
    const open = unpaused((_, { from }) => {
      asked.push(from);
      const checked = { checked: true, length: 2 };
      return from === 0
        ? concat(
            of<SourceEvent[]>(sourceHead(checked), chunk('a')),
            throwError(() => lost),
          )
        : of<SourceEvent[]>(sourceHead({ ...checked, from }), chunk('b'));
    });
    const deps = { newDigest, random: () => 1, policy: aPolicy(), open };
    const seen: string[] = [];
    of([copy('first'), copy('second')])
      .pipe(under(OPEN, attempts(aRequest(), deps)), map(letterOf))
      .subscribe({ next: (letter) => seen.push(letter), complete: () => seen.push('|') });
    expect([asked, seen.join('')]).toEqual([[0, 1], 'LThaFTRb|']);
  });

  it('does not ask a source for a part that is known to send none', () =>
    marbles(({ expectObservable }) => {
      const health = {
        ...createHealth({ cooldown: 0, cooldownLimit: 0, random: () => 1 }),
        needsWhole: () => true,
      };
      const deps = { newDigest, random: () => 1, policy: aPolicy(), open: unpaused(inTurn()), health };
      const part = aRequest({ ranges: [{ first: 1 }] });
      expectObservable(of([first]).pipe(under(OPEN, attempts(part, deps)), map(letterOf))).toBe(
        '(LTF#)',
        undefined,
        new StreamError('NEEDS_WHOLE', 'feed', 'http://first/bear.rpm sends no parts'),
      );
    }));

  it('asks for the length of content if neither the source nor the catalog states it', () => {
    for (const [size, methods] of [
      [undefined, ['GET', 'HEAD']],
      [2, ['GET']],
    ] as const) {
      const asked: string[] = [];
      const open = unpaused((_, { method }) => {
        asked.push(method);
        return method === 'HEAD' ? of(sourceHead({ length: 2 })) : of<SourceEvent[]>(sourceHead(), chunk('ab'));
      });
      const one = aCandidate('feed', entryOf('ab', size === undefined ? {} : { size }));
      const lengths: unknown[] = [];
      of([one])
        .pipe(under(OPEN, attempts(aRequest(), { newDigest, random: () => 1, policy: aPolicy(), open })))
        .subscribe((event) => event.type === 'head' && lengths.push(event.length));
      expect([asked, lengths]).toEqual([methods, [2]]);
    }
  });
});
