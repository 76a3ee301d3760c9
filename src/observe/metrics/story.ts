import type { AttemptReport, ErrorCode, Report } from '../../../pipelines/model/index.ts';

/** One attempt of a request, and what became of it. */
export interface AttemptSeen {
  readonly source: string;
  /** `abandoned`: its client left, or another source was faster. */
  readonly outcome: 'delivered' | 'failed' | 'abandoned';
  readonly code?: ErrorCode;
}

/** The course of one request, without what belongs to another one whose transfer it shared. */
export interface Story {
  readonly shared: boolean;
  /** Milliseconds until the candidates were known. */
  readonly found?: number;
  readonly attempts: readonly AttemptSeen[];
  readonly resumes: number;
  readonly failovers: number;
  readonly hedges: number;
}

/** Follows the timeline of a report. */
export const storyOf = (report: Report): Story => {
  /** Its own attempts, if there are others: most requests have none, and nothing is copied. */
  let own: AttemptReport[] | undefined;
  let shared = false;
  /** The moments are those of another request's transfer. */
  let foreign = false;
  let found: number | undefined;
  let head = false;
  /** Attempts begun, and of those the ones that neither failed nor were given up. */
  let begun = 0;
  let running = 0;
  let resumes = 0;
  let hedges = 0;

  for (const { what, at } of report.timeline) {
    if (what === 'shared') {
      shared = foreign = true;
      own ??= report.attempts.slice(0, begun);
    } else if (what === 'behind') foreign = false;
    else if (what === 'head') head = true;
    if (what === 'attempt') {
      const attempt = report.attempts[begun];
      begun += 1;
      if (foreign || !attempt) continue;
      own?.push(attempt);
      if (!head && running > 0) hedges += 1;
      running += 1;
    } else if (foreign) continue;
    else if (what === 'failed') running = Math.max(0, running - 1);
    else if (what === 'found') found ??= at;
    else if (what === 'resumed') resumes += 1;
  }
  const attempts = own ?? report.attempts;
  return { shared, found, attempts: outcomesOf(attempts, report), resumes, failovers: failoversOf(attempts), hedges };
};

/** The last attempt without a failure at the source of the last byte is the one that counted. */
const outcomesOf = (attempts: readonly AttemptReport[], { outcome, source: last, error }: Report): AttemptSeen[] => {
  const counted = attempts.findLastIndex(({ source, failure }) => !failure && source === last);
  return attempts.map(({ source, failure }, index) => {
    if (failure) return { source, outcome: 'failed', code: failure.code };
    if (index !== counted || outcome === 'left') return { source, outcome: 'abandoned' };
    return outcome === 'complete' ? { source, outcome: 'delivered' } : { source, outcome: 'failed', code: error?.code };
  });
};

const failoversOf = (attempts: readonly AttemptReport[]): number =>
  attempts.reduce((count, { source, url }, index) => {
    const before = attempts[index - 1];
    return before?.failure && (before.source !== source || before.url !== url) ? count + 1 : count;
  }, 0);
