import type { Observable, Subscription } from 'rxjs';
import { type FinishedRequest, outcomeOf } from '../../lib/finished-request.ts';
import type { Families } from './families.ts';

/**
 * Seconds. A small request takes less than a millisecond (docs/explanation/performance.md), one of
 * a GiB a second and more, one to a slow client hours.
 */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600];
/** A copy answers within half a millisecond, a feed within its round trip, a sick one until `answer_timeout`. */
const FIRST_BYTES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The kind of a source, by its name (`feed:HOST`); `none` if no source was needed. */
export const kindOf = (source: string | undefined): string => {
  if (source === undefined) return 'none';
  if (source.startsWith('feed:')) return 'feed';
  if (source.startsWith('alternate:')) return 'alternate';
  return source === 'saved' || source.startsWith('saved:') ? 'saved' : 'other';
};

const STATUSES = Array.from({ length: 600 }, (_, status) => String(status));
/** A text for each status is made once. */
const textOf = (status: number): string => STATUSES[status] ?? String(status);

/** Requests from the clients' point of view. */
export const requestMetrics = (
  { counter, histogram }: Families,
  { finished }: { readonly finished: Observable<FinishedRequest> },
): Subscription => {
  const requests = counter({
    name: 'requests_total',
    help: 'Requests by outcome (complete, failed, left by the client, refused) and by the status that was sent; 499 if the client left',
    labels: ['outcome', 'status'],
  });
  const errors = counter({
    name: 'request_errors_total',
    help: 'Requests that ended with an error, by its code (docs/reference/errors.md)',
    labels: ['code'],
  });
  const bytes = counter({
    name: 'response_bytes_total',
    help: 'Bytes of response bodies, by the kind of the source of the last byte',
    labels: ['kind'],
  });
  const duration = histogram({
    name: 'request_duration_seconds',
    help: 'Time from the request to the end of its response, by the kind of the source of the last byte',
    labels: ['kind'],
    buckets: DURATIONS,
  });
  const firstByte = histogram({
    name: 'request_first_byte_seconds',
    help: 'Time from the request to the first byte of its body, by the kind of the source of the last byte',
    labels: ['kind'],
    buckets: FIRST_BYTES,
  });
  const pauses = counter({
    name: 'request_pauses_total',
    help: 'Times that a client took less than its source sent, so that the source was paused',
  });
  const paused = counter({
    name: 'request_paused_seconds_total',
    help: 'Time for which sources were paused, since their clients took less than they sent',
  });

  return finished.subscribe(({ status, report, error, duration: took }) => {
    const outcome = outcomeOf({ status, report });
    requests.add(1, outcome, textOf(status));
    if (error) errors.add(1, error.code);
    if (!report) return;
    const kind = kindOf(report.source);
    duration.observe(took / 1000, kind);
    if (report.bytes > 0) bytes.add(report.bytes, kind);
    if (report.firstByte !== undefined) firstByte.observe(report.firstByte / 1000, kind);
    if (report.pauses === 0) return;
    pauses.add(report.pauses);
    paused.add(report.pausedFor / 1000);
  });
};
