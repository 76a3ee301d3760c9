import { of } from 'rxjs';
import type { Valve } from '../operators/flow.ts';
import type { Conditions } from './conditions.ts';
import type { ByteRange } from './range.ts';

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
  readonly valve: Valve;
  /** The parts of the content that are wanted, in this order; none for the whole. They count for GET alone (RFC 9110 section 14.2). */
  readonly ranges?: readonly ByteRange[];
  /** Whether the content, or a part of it, is wanted at all depends on what it is by now. */
  readonly conditions?: Conditions;
  /** Wants a transfer of its own, also where another request has the same one under way. Default: shares it. */
  readonly exclusive?: boolean;
  /**
   * Wants a part only when all of it is there: the head waits for the last byte. For caches that put a file together from parts, and
   * take a part that breaks off for a part that ended. Default: a part flows like any other body.
   */
  readonly slice?: boolean;
  /** Whoever reads could not tell a body that breaks off from one that ended: without a length there must be no response. */
  readonly lengthRequired?: boolean;
  /** Whether a complete transfer asks for the unit to be saved. Pulp's own downloads (`Pulp-Stream-Request: true`) say no. */
  readonly save: boolean;
  /** The client's place in a trace (W3C Trace Context), where it told one; handed on with what the request leads to. */
  readonly traceparent?: string;
}

/** A request as an embedder writes it: named, for a path. Everything else has a default. */
export type RequestOptions = Pick<StreamRequest, 'id' | 'path'> & Partial<StreamRequest>;

/**
 * A GET of the whole content, with an open valve, which asks for the unit to be saved, unless
 * `options` state otherwise. The only place where a request gets defaults.
 */
export const streamRequest = (options: RequestOptions): StreamRequest => ({
  ...options,
  method: options.method ?? 'GET',
  valve: options.valve ?? of(true),
  save: options.save ?? true,
});
