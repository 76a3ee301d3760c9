/** What happens, one after the other. */
export type Step =
  /** The source pushes values, as long as it may, and `leak` more after it was paused. */
  | { readonly do: 'push'; readonly count: number }
  | { readonly do: 'open' | 'close' | 'complete' | 'error' | 'leave' }
  /** Time passes, in milliseconds of the scheduler. */
  | { readonly do: 'wait'; readonly ms: number };

/** A history, as values: the same plan always leads to the same history. */
export interface Plan {
  /** Whether the valve is open at the beginning. */
  readonly open: boolean;
  /** Values that the source pushes before `produce` returns. */
  readonly atOnce: number;
  /** Values that the source pushes after it was paused: it misbehaves as sockets do. */
  readonly leak: number;
  readonly steps: readonly Step[];
  /** Happens while the consumer has its value with this index. */
  readonly within?: { readonly at: number; readonly step: Step };
}

/** A random number generator, from 0 to below 1: the same for the same seed. */
const numbersFrom = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

const KINDS = ['push', 'push', 'push', 'open', 'close', 'wait', 'leave', 'complete', 'error'] as const;

/** Plans without end, the same ones for the same seed. Each second one is re-entrant. */
export function* plansFrom(seed: number): Generator<Plan, never> {
  const random = numbersFrom(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const step = (): Step => {
    const kind = KINDS[upTo(KINDS.length - 1)] ?? 'push';
    // Ends are rare: most of a history comes before them.
    if (['leave', 'complete', 'error'].includes(kind) && random() < 0.7) return { do: 'push', count: 1 };
    if (kind === 'push') return { do: 'push', count: 1 + upTo(3) };
    return kind === 'wait' ? { do: 'wait', ms: 1 + upTo(300) } : { do: kind };
  };
  for (let index = 0; ; index += 1) {
    const plan = {
      open: random() < 0.7,
      atOnce: upTo(2),
      leak: upTo(3),
      steps: Array.from({ length: 3 + upTo(12) }, step),
    };
    yield index % 2 === 0 ? plan : { ...plan, within: { at: upTo(5), step: step() } };
  }
}
