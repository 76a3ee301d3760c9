import type { Report, StreamError } from '../../pipelines/model/index.ts';

/** One request from the client's point of view, reported once it is over. */
export interface FinishedRequest {
  readonly id: string;
  /** Empty, like the target, if the input is not a request. */
  readonly method: string;
  readonly target: string;
  /** The status that was sent; 499 if the client left before the end. */
  readonly status: number;
  /** Absent for requests that did not reach the pipeline. */
  readonly report?: Report;
  readonly error?: StreamError;
  /** The ids of its span, if requests are traced. */
  readonly trace?: { readonly traceId: string; readonly spanId: string };
  /** The client's address, as far as it is known. */
  readonly client: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** What became of it: a request without a report did not reach the pipeline. */
export const outcomeOf = ({
  status,
  report,
}: Pick<FinishedRequest, 'status' | 'report'>): Report['outcome'] | 'left' | 'refused' =>
  status === 499 ? 'left' : (report?.outcome ?? (status >= 400 ? 'refused' : 'complete'));
