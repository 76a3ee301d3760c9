import type { CopyProgress } from '../../../pipelines/model/index.ts';
import { type FinishedRequest, outcomeOf } from '../../lib/finished-request.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import { problemOf, stateOf } from './disk-lanes.ts';
import type { Finished, FinishedReport } from './model/finished.ts';
import type { ShowClient } from './view.ts';

/** Reports that are kept: of the last requests, and of the last eventful ones. */
const KEPT = 300;

/** The last finished requests. Kept always. */
export interface History {
  finished(one: FinishedRequest): void;
  /** The newest first. */
  list(): readonly Finished[];
  find(id: string): FinishedReport | undefined;
}

interface Kept {
  readonly at: number;
  readonly eventful: boolean;
  readonly request: FinishedRequest;
}

/** Reports in the order of their arrival; the oldest make room. */
class Ring {
  readonly #kept: Kept[] = [];
  #next = 0;

  add(one: Kept): void {
    this.#kept[this.#next] = one;
    this.#next = (this.#next + 1) % KEPT;
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
export const createHistory = (now: () => number, showClient: ShowClient): History => {
  const [quiet, eventful] = [new Ring(), new Ring()];
  const all = () => [...quiet.all(), ...eventful.all()];

  const summary = ({ at, eventful, request }: Kept): Finished => {
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
      eventful,
    };
  };

  return {
    finished: (request) => {
      const { status, report } = request;
      const failed = report?.attempts.some(({ failure }) => failure !== undefined) ?? false;
      const gaveUp = report?.copy?.end?.how === 'given-up';
      const one = { at: now(), eventful: failed || gaveUp || status >= 500, request };
      if (one.eventful) eventful.add(one);
      else quiet.add(one);
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
