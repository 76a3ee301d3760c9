import { type Context, createTraceState, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import type { TraceContext } from '../../lib/trace-context.ts';

/** The context that spans of a request, or of a save request, have as their parent. */
export const contextOf = ({ traceparent, tracestate }: TraceContext): Context => {
  const [, traceId, spanId, flags] = traceparent?.split('-') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId, spanId, isRemote: true },
    traceFlags: Number.parseInt(flags ?? '0', 16) & 1,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  });
};

/** A span as the next process gets it. */
export const fieldsOf = (span: Span): TraceContext => {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const tracestate = traceState?.serialize();
  const flags = traceFlags.toString(16).padStart(2, '0');
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(tracestate && { tracestate }) };
};

/** Milliseconds since 1970 as OpenTelemetry keeps a time: seconds, and nanoseconds. */
export const timeOf = (milliseconds: number): [number, number] => {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
};
