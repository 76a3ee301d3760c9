import { setTimeout } from 'node:timers/promises';

/** Milliseconds after which nobody waits any longer for a worker that does not answer. */
const PATIENCE = 2_000;

/** What a worker answers soon; nothing if it does not. Rejects as the answer does. */
export const soon = async <T>(answer: Promise<T> | undefined): Promise<T | undefined> => {
  const waiting = new AbortController();
  const late = setTimeout(PATIENCE, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined);
  return Promise.race([answer, late]).finally(() => waiting.abort());
};
