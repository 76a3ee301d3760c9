import type { CopyProgress } from '../../../pipelines/model/index.ts';
import { type FinishedRequest, outcomeOf } from '../../lib/finished-request.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import { problemOf, stateOf } from './disk-lanes.ts';
import type { Finished, FinishedReport } from './model/finished.ts';
import type { ShowClient } from './view.ts';

/** Reports that are kept: of the last requests, and of the last eventful ones. */
const KEPT = 300;
/**
 * Milliseconds in which the places of all quiet requests are free again. Of more requests a sample is kept: nobody
 * could read them before they are gone, and reports that are kept for a moment survive V8's first collections,
 * which costs most.
 */
const SPAN = 10_000;

/** The last finished requests. */
export interface History {
  /** The newest first. */
  list(): readonly Finished[];
  find(id: string): FinishedReport | undefined;
}

/** A finished request, and when that was. */
export interface Kept {
  readonly at: number;
  readonly request: FinishedRequest;
}

/** Reports in the order of their arrival; the oldest make room. */
class Ring {
  readonly #kept: Kept[] = [];
  #last = KEPT - 1;

  add(one: Kept): void {
    this.#last = (this.#last + 1) % KEPT;
    this.#kept[this.#last] = one;
  }

  replaceNewest(one: Kept): void {
    this.#kept[this.#last] = one;
  }

  all(): readonly Kept[] {
    return this.#kept;
  }
}

/**
 * Two rings of reports, so that the many quiet requests do not make room for themselves at the
 * expense of those with events: failed ones, cut ones, those that another source completed, and those
 * whose copy was given up.
 */
export const createHistory = (showClient: ShowClient): History & { add(one: Kept): void } => {
  const [quiet, eventful] = [new Ring(), new Ring()];
  /** Places that quiet requests may take; all are free again after `SPAN`. */
  let free = KEPT;
  let asOf = 0;

  const addQuiet = (one: Kept): void => {
    // The clock may have been set back.
    free = Math.min(KEPT, free + (Math.max(0, one.at - asOf) * KEPT) / SPAN);
    asOf = one.at;
    if (free < 1) quiet.replaceNewest(one);
    else {
      free -= 1;
      quiet.add(one);
    }
  };

  const all = () => [...quiet.all(), ...eventful.all()];

  const summary = ({ at, request }: Kept): Finished => {
    const { id, method, target, status, report, error, duration, client } = request;
    return {
      id,
      at,
      method,
      path: pathOf(target),
      client: showClient(client),
      status,
      outcome: outcomeOf(request),
      bytes: report?.bytes ?? 0,
      duration,
      source: report?.source,
      code: error?.code,
      copy: report?.copy && stateOf(report.copy),
      eventful: isEventful(request),
    };
  };

  return {
    add: (one) => {
      if (isEventful(one.request)) eventful.add(one);
      else addQuiet(one);
    },
    list: () =>
      all()
        .toSorted((a, b) => b.at - a.at)
        .map(summary),
    find: (id) => {
      const kept = all().find(({ request }) => request.id === id);
      if (!kept) return undefined;
      const { report, error } = kept.request;
      return {
        ...summary(kept),
        error: error && maskUrl(messageOf(error)),
        verified: report?.verified,
        pauses: report?.pauses ?? 0,
        pausedFor: report?.pausedFor ?? 0,
        recorded: report?.recorded ?? false,
        copied: report?.copy && copiedOf(report.copy),
        attempts: (report?.attempts ?? []).map(({ source, url, from, failure }) => ({
          source,
          url: bareUrl(url),
          from,
          code: failure?.code,
          message: failure && maskUrl(failure.message),
        })),
        timeline: (report?.timeline ?? []).map(({ at, what, detail }) => ({ at, what, detail: maskUrl(detail) })),
      };
    },
  };
};

const isEventful = ({ status, report }: FinishedRequest): boolean =>
  status >= 500 ||
  report?.copy?.end?.how === 'given-up' ||
  (report?.attempts.some(({ failure }) => failure !== undefined) ?? false);

const copiedOf = (copy: CopyProgress): FinishedReport['copied'] => ({
  bytes: copy.written,
  whole: copy.whole,
  at: copy.end?.at,
  problem: problemOf(copy),
});

/** A target without its query. */
const pathOf = (target: string): string => maskUrl(target.split('?', 1)[0] ?? '');

/** A URL without userinfo, query and fragment. */
const bareUrl = (url: string): string => maskUrl(url.split(/[?#]/, 1)[0] ?? '').replace('://***@', '://');
