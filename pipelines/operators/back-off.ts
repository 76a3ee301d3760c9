export interface BackOff {
  /** Milliseconds to wait after the first failure; each further failure doubles them. */
  readonly wait: number;
  /** Milliseconds; the longest wait. */
  readonly waitLimit: number;
  /** From 0 to 1. Its jitter spreads the retries of tries that failed at the same time. */
  readonly random: () => number;
}

/**
 * Milliseconds to wait before the next try. `failures` counts the failures before the latest one.
 */
export const backOff = (failures: number, { wait, waitLimit, random }: BackOff): number =>
  // Beyond 2 ** 1023 the factor is infinite, and no wait at all would become no number.
  Math.min(waitLimit, wait * 2 ** Math.min(failures, 1000)) * (0.5 + random() / 2);
