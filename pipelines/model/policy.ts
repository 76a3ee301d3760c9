/** How patient and how careful a request is. All times in milliseconds. */
export interface Policy {
  /** How long caches may keep a response: `Cache-Control: public, s-maxage=N, max-age=N`, in whole seconds there. */
  readonly cacheTimeout: number;
  /** A source that has not sent its head by then is given up. */
  readonly headTimeout: number;
  /** A source that sends nothing for so long, while it is wanted, has stalled. */
  readonly readTimeout: number;
  /** Bytes. Content up to this size is checked whole before its head is let go; it is held in memory meanwhile. */
  readonly verifyWholeBelow: number;
  /** What is held to be checked, or measured, is let go as it is if it takes longer than this from its first byte on. */
  readonly verifyWholeWithin: number;
  /** Failed attempts that one request may cost. */
  readonly attempts: number;
  /** Failures in a row, without a new byte between them, after which a candidate is left alone. */
  readonly attemptsPerCandidate: number;
  /** The first back-off before a candidate is tried again; it doubles from time to time, with jitter. */
  readonly retryWait: number;
  /** The longest back-off; a source that asks for more (`Retry-After`) is not tried again. */
  readonly retryWaitLimit: number;
  /** Bytes per second that a source has to bring, within each window in which it was wanted all the time; 0: any speed will do. */
  readonly minSpeed: number;
  readonly minSpeedWindow: number;
  /** A consumer that wants nothing for so long is cut; 0: never. */
  readonly clientTimeout: number;
  /** Bytes; content that is, or claims to be, larger is refused. 0: no limit. */
  readonly sizeLimit: number;
  /** Whether a part that came right asks for its unit to be saved, as the whole does. */
  readonly savePartial: boolean;
  /** Whether a transfer that its client left asks for it. */
  readonly saveAbandoned: boolean;
  /** Whether a second source is asked for its head where the first is slower than 95 of 100 of its own recent heads. */
  readonly hedge: boolean;
}
