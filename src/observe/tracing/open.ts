import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { defer, finalize, tap } from 'rxjs';
import type { Dispatch, Report } from '../../../pipelines/model/index.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { TraceContext } from '../../lib/trace-context.ts';
import { contextOf, fieldsOf, timeOf } from './context.ts';
import { endRequestSpan } from './request-span.ts';

/** The span of a request that has begun. */
export interface BegunSpan {
  /** What sources and the save request get: the span is their parent. */
  readonly context: TraceContext;
  /** Takes the report, by which `finish` finds the span. */
  reported(report: Report): void;
}

export interface Tracing {
  /** Starts the span of a request, as a child of the client's. */
  begin(request: { readonly method: string } & TraceContext): BegunSpan;
  /** Whether a finished request has a span. */
  hasBegun(finished: FinishedRequest): boolean;
  /** Ends the span of a finished request, and adds its ids. */
  finish(finished: FinishedRequest): FinishedRequest;
  /** Dispatches in a span of its own, a child of the request's; what is dispatched has it as its parent. */
  delivering(dispatch: Dispatch): Dispatch;
}

/** Makes spans of what happened once it is over. Only their ids are needed before. */
export const openTracing = (tracer: Tracer): Tracing => {
  const begun = new WeakMap<Report, { readonly span: Span; readonly at: number }>();
  /** Milliseconds since 1970, on a clock that nobody sets. */
  const now = () => performance.timeOrigin + performance.now();
  const start = (method: string, at: number, parent = ROOT_CONTEXT) =>
    tracer.startSpan(method || 'malformed', { kind: SpanKind.SERVER, startTime: timeOf(at) }, parent);

  return {
    begin: ({ method, ...context }) => {
      const at = now();
      const span = start(method, at, contextOf(context));
      return { context: fieldsOf(span), reported: (report) => begun.set(report, { span, at }) };
    },
    hasBegun: ({ report }) => report !== undefined && begun.has(report),
    finish: (finished) => {
      const { report, method, duration } = finished;
      const known = report && begun.get(report);
      const at = known?.at ?? now() - duration;
      const span = known?.span ?? start(method, at);
      endRequestSpan(tracer, span, at, finished);
      const { traceId, spanId } = span.spanContext();
      return { ...finished, trace: { traceId, spanId } };
    },
    delivering: (dispatch) => (save) =>
      defer(() => {
        const { requestId, entry, failures } = save;
        const span = tracer.startSpan(
          'save',
          {
            kind: SpanKind.PRODUCER,
            attributes: {
              'pulp_streamer.request_id': requestId,
              'pulp_streamer.unit_id': entry.unitId,
              'url.path': entry.path,
              'pulp_streamer.failures': failures,
            },
          },
          contextOf(save),
        );
        return dispatch({ ...save, ...fieldsOf(span) }).pipe(
          tap({
            next: (reason) => span.addEvent('declined', { reason }),
            error: (error: unknown) => span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) }),
          }),
          finalize(() => span.end()),
        );
      }),
  };
};
