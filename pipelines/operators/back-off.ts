export interface BackOff {
  /** Milliseconds after the first failure; they double with each further one. */
  readonly wait: number;
  /** Milliseconds, the longest wait. */
  readonly waitLimit: number;
  /** From 0 to 1: jitter, which keeps what failed together from coming back together. */
  readonly random: () => number;
}

/** Milliseconds to wait before the next try; `failures`: the failures before the latest one. */
export const backOff = (failures: number, { wait, waitLimit, random }: BackOff): number =>
  Math.min(waitLimit, wait * 2 ** failures) * (0.5 + random() / 2);
