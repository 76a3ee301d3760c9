import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** A source, which starts at its subscription, or a valve, which moves independently of it. */
interface Input {
  readonly marble: string;
  /** The expected window of its subscription. Default: from the beginning, to an unchecked end. */
  readonly window?: string;
}

interface Result {
  readonly marble: string;
  /** The time of the subscription. Default: the beginning. */
  readonly from?: string;
  /** The input is a valve, such as the one that an operator passes to its source. */
  readonly valve?: boolean;
}

/**
 * A test that can be drawn. Every row of its picture is an input or an expectation of the test, so
 * the picture shows only verified behaviour. Valves are written with `o` for open and `x` for
 * closed.
 */
interface Plan<S extends string, V extends string, R extends string> {
  readonly operator: string;
  /** The file of the operator, if not the one of its name in pipelines/operators/. */
  readonly file?: string;
  /** A setting that the picture cannot show, such as a limit. */
  readonly note: string;
  readonly sources: Readonly<Record<S, Input>>;
  readonly valves?: Readonly<Record<V, Input>>;
  readonly results: Readonly<Record<R, Result>>;
  /** The values of letters, if not the letters themselves. */
  readonly values?: Readonly<Record<string, string>>;
  /** Milliseconds per column; default 1. */
  readonly scale?: number;
  /**
   * Times to draw as measures, in milliseconds: instants in a chain. An event occurs at its first
   * and at its last instant.
   */
  readonly measured?: readonly number[];
  readonly make: (
    sources: Readonly<Record<S, Observable<string>>>,
    valves: Readonly<Record<V, Observable<boolean>>>,
  ) => Readonly<Record<R, Observable<unknown>>>;
}

/** One event of a row. */
export type Mark = { readonly at: number } & ({ readonly label: string } | { readonly end: 'complete' | 'error' });

export interface DrawnRow {
  readonly name: string;
  readonly kind: 'source' | 'valve' | 'result';
  readonly isValve: boolean;
  /** When it is subscribed, and when it is unsubscribed before its end. */
  readonly from: number;
  readonly left: number | undefined;
  readonly marks: readonly Mark[];
}

export interface Diagram
  extends Pick<Plan<string, string, string>, 'operator' | 'file' | 'note' | 'scale' | 'measured'> {
  /** The test: for `marbles`, or any other run of a TestScheduler. */
  readonly holds: (helpers: RunHelpers) => void;
  /** Only the inputs and expectations of the test. */
  readonly rows: readonly DrawnRow[];
}

const VALVE = { o: true, x: false };
const LETTERS = Object.fromEntries(
  [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((one) => [one, one]),
);
const entries = <K extends string, T>(record: Readonly<Record<K, T>>): [K, T][] => Object.entries(record) as [K, T][];
const mapped = <K extends string, T, U>(record: Readonly<Record<K, T>>, change: (value: T) => U): Record<K, U> =>
  Object.fromEntries(entries(record).map(([key, value]) => [key, change(value)])) as Record<K, U>;

/** `undefined` for RxJS's infinity: never. */
const windowOf = (marble: string | undefined): { from: number; left: number | undefined } => {
  if (marble === undefined) return { from: 0, left: undefined };
  const { subscribedFrame, unsubscribedFrame } = TestScheduler.parseMarblesAsSubscriptions(marble, true);
  return { from: subscribedFrame, left: Number.isFinite(unsubscribedFrame) ? unsubscribedFrame : undefined };
};

/** Gives a test of an operator the form that `npm run pictures` draws. */
export const diagram = <S extends string, R extends string, V extends string = never>(plan: Plan<S, V, R>): Diagram => {
  const { operator, file, note, sources, results, scale, measured, make } = plan;
  const values: Readonly<Record<string, string>> = { ...LETTERS, ...plan.values };
  const valves = plan.valves ?? ({} as Record<V, Input>);

  // Inside a run a frame is a millisecond. Runs cannot be nested, so this is not done in `holds`.
  const rows = new TestScheduler(() => {}).run((): readonly DrawnRow[] => {
    const marksOf = (marble: string, from: number): readonly Mark[] =>
      TestScheduler.parseMarbles(marble, undefined, undefined, false, true).map(({ frame, notification }) => {
        const at = frame + from;
        if (notification.kind !== 'N') return { at, end: notification.kind === 'C' ? 'complete' : 'error' };
        const letter = String(notification.value);
        return { at, label: values[letter] ?? letter };
      });
    return [
      ...entries<string, Input>(sources).map(([name, { marble, window }]): DrawnRow => {
        const { from, left } = windowOf(window);
        const marks = marksOf(marble, from);
        const ended = marks.some((mark) => 'end' in mark && mark.at === left);
        return { name, kind: 'source', isValve: false, from, left: ended ? undefined : left, marks };
      }),
      ...entries<string, Input>(valves).map(
        ([name, { marble }]): DrawnRow => ({
          name,
          kind: 'valve',
          isValve: true,
          from: 0,
          left: undefined,
          marks: marksOf(marble, 0),
        }),
      ),
      ...entries<string, Result>(results).map(([name, { marble, from, valve }]): DrawnRow => {
        const marks = marksOf(marble, 0);
        return { name, kind: 'result', isValve: valve === true, ...windowOf(from), marks };
      }),
    ];
  });

  const holds = ({ cold, hot, expectObservable, expectSubscriptions }: RunHelpers): void => {
    const given = mapped(sources, ({ marble }) => cold<string>(marble, values));
    const moved = mapped(valves, ({ marble }) => hot<boolean>(marble, VALVE));
    const made = make(given, moved);
    for (const [name, { marble, from, valve }] of entries(results))
      expectObservable(made[name], from).toBe(marble, valve ? VALVE : values);
    for (const [name, { window }] of entries(sources))
      if (window !== undefined) expectSubscriptions(given[name].subscriptions).toBe(window);
    for (const [name, { window }] of entries(valves))
      if (window !== undefined) expectSubscriptions(moved[name].subscriptions).toBe(window);
    const instants = rows.flatMap(({ from, left, marks }) => [from, left, ...marks.map(({ at }) => at)]);
    for (const at of [measured?.at(0), measured?.at(-1)])
      if (at !== undefined && !instants.includes(at)) throw new Error(`${operator}: nothing happens at ${at}`);
  };

  return { operator, file, note, scale, measured, holds, rows };
};
