import type { FinishedRequest } from '../../lib/finished-request.ts';
import { Gathered } from '../../lib/gathered.ts';
import { createHistory, type History, type Kept } from './history.ts';
import { createSourceRates, type SourceRates } from './source-rates.ts';
import type { ShowClient } from './view.ts';

/** What is remembered of requests that are over. Kept always. */
export interface Past {
  finished(one: FinishedRequest): void;
  readonly history: History;
  readonly rates: Omit<SourceRates, 'finished'>;
}

/** `now`: milliseconds since 1970. */
export const createPast = (now: () => number, showClient: ShowClient): Past => {
  const [history, rates] = [createHistory(showClient), createSourceRates()];
  const gathered = new Gathered<Kept>((one) => {
    history.add(one);
    rates.finished(one.request);
  });
  const flushed =
    <A extends readonly unknown[], R>(read: (...asked: A) => R) =>
    (...asked: A): R => {
      gathered.flush();
      return read(...asked);
    };

  return {
    finished: (request) => gathered.add({ at: now(), request }),
    history: { list: flushed(history.list), find: flushed(history.find) },
    rates: { ...rates, list: flushed(rates.list) },
  };
};
