/** The limits and checks of a request. All times are milliseconds. */
export interface Policy {
  /**
   * Time that caches may keep a response: `Cache-Control: public, s-maxage=N, max-age=N`, with N in
   * whole seconds.
   */
  readonly cacheTimeout: number;
  /**
   * The maximum time until the head of the response: the look-up, every attempt, and the waiting
   * between them.
   */
  readonly answerTimeout: number;
  /** The maximum time until a source's head; then the attempt fails. */
  readonly headTimeout: number;
  /** The maximum silence of a source while the valve is open; then it has stalled. */
  readonly readTimeout: number;
  /** Bytes. Content up to this size is held in memory and verified before its head is sent. */
  readonly verifyWholeBelow: number;
  /**
   * The maximum time, from the first byte, to hold content to verify it or to find its length. Then
   * the head is sent, and the rest streams.
   */
  readonly verifyWholeWithin: number;
  /** The maximum number of failed attempts of one request. */
  readonly attempts: number;
  /** Failures of a candidate in a row, without a new byte, after which it is no longer tried. */
  readonly attemptsPerCandidate: number;
  /** The first back-off before a candidate is tried again. It doubles each time, with jitter. */
  readonly retryWait: number;
  /** The longest back-off. A source whose `Retry-After` is longer is not tried again. */
  readonly retryWaitLimit: number;
  /** Minimum bytes per second, in each window in which the valve stayed open. 0: no minimum. */
  readonly minSpeed: number;
  readonly minSpeedWindow: number;
  /** The maximum time with a closed valve; then the consumer is cut off. 0: no limit. */
  readonly clientTimeout: number;
  /** Bytes. Content whose stated or actual size exceeds this is refused. 0: no limit. */
  readonly sizeLimit: number;
  /** Whether a correct partial transfer requests a save of its unit, as a whole one does. */
  readonly savePartial: boolean;
  /** Whether a transfer that its client left requests a save. */
  readonly saveAbandoned: boolean;
  /** Whether to ask a second source if the first is slower than 95 % of its own recent heads. */
  readonly hedge: boolean;
}
