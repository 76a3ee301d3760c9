import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { AttemptReport, Moment, Report } from '../../../pipelines/model/index.ts';
import { type FinishedRequest, outcomeOf } from '../../lib/finished-request.ts';
import { maskUrl } from '../../lib/mask.ts';
import { timeOf } from './context.ts';

/**
 * Completes and ends the span of a finished request: its attributes, a child for each attempt, and
 * an event for each other moment. `began`: milliseconds since 1970.
 */
export const endRequestSpan = (tracer: Tracer, span: Span, began: number, one: FinishedRequest): void => {
  if (span.isRecording()) {
    const { report } = one;
    span.setAttributes(attributesOf(one));
    const code = one.error?.code ?? (one.status >= 500 ? String(one.status) : undefined);
    if (code !== undefined) span.setAttribute('error.type', code);
    // A client's mistake is no failure of the server; a body that broke is.
    if (one.status >= 500 || (report?.outcome === 'failed' && one.status < 400))
      span.setStatus({ code: SpanStatusCode.ERROR, ...(one.error && { message: maskUrl(one.error.message) }) });
    if (report) {
      for (const { what, detail, at } of report.timeline)
        if (what !== 'attempt' && what !== 'failed' && what !== 'end')
          span.addEvent(what, detail === '' ? {} : { detail: maskUrl(detail) }, timeOf(began + at));
      if (report.verified !== undefined)
        span.addEvent('verified', { algorithm: report.verified }, timeOf(began + report.duration));
      for (const attempt of attemptsOf(report)) addAttempt(tracer, span, began, attempt, report);
    }
  }
  span.end(timeOf(began + one.duration));
};

const attributesOf = ({ id, method, target, status, client, report }: FinishedRequest) => ({
  'http.request.method': method,
  'url.path': maskUrl(target),
  'http.response.status_code': status,
  'client.address': client,
  'pulp_streamer.request_id': id,
  'pulp_streamer.outcome': outcomeOf({ status, report }),
  ...(report && {
    'http.response.body.size': report.bytes,
    'pulp_streamer.pauses': report.pauses,
    'pulp_streamer.paused_seconds': report.pausedFor / 1000,
    'pulp_streamer.recorded': report.recorded,
    ...(report.source !== undefined && { 'pulp_streamer.source': report.source }),
    ...(report.verified !== undefined && { 'pulp_streamer.verified': report.verified }),
  }),
});

interface Timed extends AttemptReport {
  /** Milliseconds from the start of the request. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * The attempts of the request itself, with their times. One ends with its failure, and one that
 * another has overtaken with the head. Those of a shared transfer belong to another request.
 */
const attemptsOf = ({ attempts, timeline, source: last, duration }: Report): readonly Timed[] => {
  const running: { attempt: AttemptReport; from: number; to?: number }[] = [];
  let index = 0;
  let foreign = false;
  for (const { what, at, detail } of timeline) {
    if (what === 'shared' || what === 'behind') foreign = what === 'shared';
    const attempt = what === 'attempt' ? attempts[index++] : undefined;
    if (attempt && !foreign) running.push({ attempt, from: at });
    if (what === 'failed') {
      const failed = running.find(({ attempt: one, to }) => to === undefined && isOf(one, detail));
      if (failed) failed.to = at;
    }
  }
  const head = timeline.find(({ what }) => what === 'head')?.at;
  return running.map(({ attempt, from, to }) => {
    const overtaken = to === undefined && attempt.source !== last && head !== undefined && head > from;
    return { ...attempt, startedAt: from, endedAt: to ?? (overtaken ? head : duration) };
  });
};

const isOf = ({ source, failure }: AttemptReport, detail: Moment['detail']): boolean =>
  failure !== undefined && detail.startsWith(`${source}: `);

const addAttempt = (tracer: Tracer, parent: Span, began: number, attempt: Timed, { method }: Report): void => {
  const { source, url, from, failure } = attempt;
  const span = tracer.startSpan(
    'attempt',
    {
      kind: SpanKind.CLIENT,
      startTime: timeOf(began + attempt.startedAt),
      attributes: {
        'http.request.method': method,
        'url.full': maskUrl(url),
        'pulp_streamer.source': source,
        'pulp_streamer.from_byte': from,
        ...(URL.canParse(url) && { 'server.address': new URL(url).hostname }),
        ...(failure && { 'error.type': failure.code, 'pulp_streamer.phase': failure.phase }),
      },
    },
    trace.setSpan(ROOT_CONTEXT, parent),
  );
  if (failure) span.setStatus({ code: SpanStatusCode.ERROR, message: maskUrl(failure.message) });
  span.end(timeOf(began + attempt.endedAt));
};
