import type { Observable, Subscription } from 'rxjs';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { boundedLabel, SOURCES } from './bounded.ts';
import type { Families } from './families.ts';
import { kindOf } from './requests.ts';
import { storyOf } from './story.ts';

/** Seconds. A look-up takes some 30 microseconds, Pulp's database some milliseconds. */
const LOOK_UPS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];

/** How sources behaved. A transfer that several requests shared counts once. */
export const attemptMetrics = (
  { counter, histogram }: Families,
  { finished }: { readonly finished: Observable<FinishedRequest> },
): Subscription => {
  const attempts = counter({
    name: 'source_attempts_total',
    help: 'Attempts at sources by kind, outcome (delivered, failed, abandoned) and, if failed, error code',
    labels: ['kind', 'outcome', 'code'],
  });
  const bySource = counter({
    name: 'source_attempts_by_source_total',
    help: `Attempts at each source by outcome; the first ${SOURCES} sources have labels of their own`,
    labels: ['source', 'outcome'],
  });
  const resumes = counter({
    name: 'resumes_total',
    help: 'Bodies that were continued at the exact byte after a failure',
  });
  const failovers = counter({
    name: 'failovers_total',
    help: 'Attempts at another source, or another URL, after a failure',
  });
  const wrong = counter({
    name: 'wrong_checksums_total',
    help: 'Bodies that did not match the checksum of the catalog',
  });
  const hedges = counter({
    name: 'hedges_total',
    help: 'Second sources that were asked since the first was slow',
  });
  const shared = counter({
    name: 'shared_requests_total',
    help: 'Requests that joined the transfer of another one',
  });
  const lookUp = histogram({
    name: 'catalog_lookup_seconds',
    help: 'Time from the request until the catalog and its stores have named all candidates',
    buckets: LOOK_UPS,
  });
  const sourceLabel = boundedLabel(SOURCES);

  return finished.subscribe(({ report }) => {
    if (!report) return;
    const story = storyOf(report);
    if (story.shared) shared.add(1);
    if (story.found !== undefined) lookUp.observe(story.found / 1000);
    if (story.resumes > 0) resumes.add(story.resumes);
    if (story.failovers > 0) failovers.add(story.failovers);
    if (story.hedges > 0) hedges.add(story.hedges);
    for (const { source, outcome, code } of story.attempts) {
      attempts.add(1, kindOf(source), outcome, code);
      bySource.add(1, sourceLabel(source), outcome);
      if (code === 'WRONG_CHECKSUM') wrong.add(1);
    }
  });
};
