import type { Location } from './candidate.ts';
import type { Conditions } from './conditions.ts';
import type { Header } from './header.ts';
import type { ByteRange, Part } from './range.ts';

/** One client's request, reduced to the fields that the pipeline needs. */
export interface StreamRequest {
  /** Identifies the request in logs and traces. */
  readonly id: string;
  readonly method: 'GET' | 'HEAD';
  /** The client. Where requests wait, clients are served in turn. */
  readonly client?: string;
  /** The path as received: not percent-decoded, without query. */
  readonly path: string;
  /**
   * The wanted parts, in this order; absent for the whole. For GET only (RFC 9110 section 14.2).
   */
  readonly ranges?: readonly ByteRange[];
  /**
   * Set by `multipart`: these parts are wanted one after the other, in ascending order. The only
   * range is then the adjoined part.
   */
  readonly parts?: readonly [Part, ...Part[]];
  /** The content, or a part of it, is wanted only if its present state meets these conditions. */
  readonly conditions?: Conditions;
  /**
   * When the head must have been sent, on the clock of the scheduler. Set by `inTime`, and absent
   * for bytes that follow a head.
   */
  readonly answerBy?: number;
  /**
   * Parts of this content are cut from the whole, so others may soon want bytes that have passed.
   */
  readonly cut?: boolean;
  /** Do not share a running transfer of the same content. Default: share it. */
  readonly exclusive?: boolean;
  /**
   * Send a part only when it is complete: the head waits for the last byte. Some caches join parts
   * of a file, and take an interrupted part for a complete one. Default: a part streams like any
   * body.
   */
  readonly slice?: boolean;
  /**
   * The field by which a proxy that asked for it sends a file itself; nothing if it cannot reach the
   * file. Absent: the streamer sends all files.
   */
  readonly handOver?: (file: Location) => Header | undefined;
  /**
   * The URL by which the client asks for the path, without query; undefined if it is not known. The
   * catalog then writes no files that name it (`made`).
   */
  readonly askedAs?: () => string | undefined;
  /** The format of a folder's listing. Default: a page of HTML. */
  readonly listAs?: 'json';
  /** Fail if the length is unknown: the client could not detect an incomplete body without it. */
  readonly lengthRequired?: boolean;
  /**
   * Whether a complete transfer requests a save of the unit. `false` for Pulp's own downloads
   * (`Pulp-Stream-Request: true`).
   */
  readonly save: boolean;
  /**
   * The trace context (W3C) that the request belongs to: the client's, or that of its own span. It is
   * passed on with the save request, and to sources that may have it.
   */
  readonly traceparent?: string;
  /** What other tracing systems add to it. */
  readonly tracestate?: string;
}

/** A request as an embedder writes it: `id` and `path`. All other fields have defaults. */
export type RequestOptions = Pick<StreamRequest, 'id' | 'path'> & Partial<StreamRequest>;

/**
 * A GET of the whole content, that requests a save of the unit. `options`
 * override these defaults, which no other code sets.
 */
export const streamRequest = (options: RequestOptions): StreamRequest => ({
  ...options,
  method: options.method ?? 'GET',
  save: options.save ?? true,
});
