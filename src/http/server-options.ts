import type { Observable } from 'rxjs';
import type { Report, StreamError, StreamEvent, StreamRequest } from '../../pipelines/model/index.ts';
import type { Asking } from './client-address.ts';
import type { Identify } from './identify.ts';
import type { Limits } from './limits.ts';

/** One request as the client experienced it, reported once it is over. */
export interface FinishedRequest {
  readonly id: string;
  /** Empty, as the target is, where no request could be made out. */
  readonly method: string;
  readonly target: string;
  /** What the client was told; 499 where it left before the end. */
  readonly status: number;
  /** Absent for requests that never came to the pipeline. */
  readonly report?: Report;
  readonly error?: StreamError;
  /** Its address, as well as we can know it. */
  readonly client: string;
  /** Milliseconds. */
  readonly duration: number;
}

export interface ServerOptions {
  /** Answers one request; `report` is called once with what happened. */
  readonly fetch: (request: StreamRequest, report: (report: Report) => void) => Observable<StreamEvent>;
  /** Who asks. Default: the peer of the connection. */
  readonly clientOf?: (asking: Asking) => string;
  /** The path that a target means; throws a StreamError where it means none, or where the client may not have it. Default: as it stands there. */
  readonly pathFor?: (target: string, client: string) => string;
  readonly finished: (finished: FinishedRequest) => void;
  readonly newId: () => string;
  /** Milliseconds. */
  readonly now: () => number;
  /** What responses tell about how they came about. */
  readonly identify: Identify;
  /** Whether all that is wrong with sources is told as 404, as in Pulp 2. */
  readonly legacyErrors: boolean;
  /** What clients may have of us; some of each by default. */
  readonly limits?: Limits;
}
