/** Whether requests should be sent here. */
export interface Serving {
  /** Why not, one line for each reason; empty if they can be served. */
  missing(): readonly string[];
  /** Whether requests could be served once. */
  readonly started: boolean;
  /** The catalog answers, or no longer does. */
  catalog(answers: boolean): void;
  listening(): void;
  drain(draining: boolean): void;
  readonly draining: boolean;
  stop(): void;
  readonly stopping: boolean;
}

/**
 * Knows what keeps requests away: the start, the catalog, or an operator. Requests that arrive all
 * the same are answered as far as they can be.
 *
 * @param noCatalog the reason if the catalog does not answer
 * @param answers whether any process answers, once they listen
 */
export const createServing = (noCatalog: string, answers: () => boolean = () => true): Serving => {
  let [started, isListening, isThere, draining, ending] = [false, false, false, false, false];
  const begin = () => {
    started ||= isListening && isThere;
  };
  return {
    missing: () => [
      ...(isListening ? [] : ['starting: it does not listen yet']),
      ...(isListening && !answers() ? ['no worker answers: all have ended, and are being replaced'] : []),
      ...(isThere ? [] : [noCatalog]),
      ...(draining ? ['draining: requests are answered, and should go elsewhere'] : []),
      ...(ending ? ['stopping: no new requests are accepted'] : []),
    ],
    get started() {
      return started;
    },
    catalog: (answers) => {
      isThere = answers;
      begin();
    },
    listening: () => {
      isListening = true;
      begin();
    },
    drain: (now) => {
      draining = now;
    },
    get draining() {
      return draining;
    },
    stop: () => {
      ending = true;
    },
    get stopping() {
      return ending;
    },
  };
};
