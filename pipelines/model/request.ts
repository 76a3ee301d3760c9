import type { Observable } from 'rxjs';

/** One client's wish, reduced to what the pipeline needs. */
export interface StreamRequest {
  /** Names the request in logs and traces. */
  readonly id: string;
  readonly method: 'GET' | 'HEAD';
  /** The path as it stood on the wire: not percent-decoded, without query and `;params`. */
  readonly path: string;
  /**
   * `true` while the consumer wants chunks, `false` while it does not. It must emit its present state on subscription
   * (a `BehaviorSubject` does). Sources stop reading while it is `false`. It should not complete before the response.
   */
  readonly valve: Observable<boolean>;
  /** Whether a complete transfer asks for the unit to be saved. Pulp's own downloads (`Pulp-Stream-Request: true`) say no. */
  readonly record: boolean;
  /** The client's place in a trace (W3C Trace Context), where it told one; handed on with what the request leads to. */
  readonly traceparent?: string;
}
