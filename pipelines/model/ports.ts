import type { Observable } from 'rxjs';
import type { Basin, Fillable } from '../operators/basin.ts';
import type { Flow } from '../operators/valve.ts';
import type { Access, Candidate, Location } from './candidate.ts';
import type { CopyProgress } from './copy-progress.ts';
import type { CatalogEntry } from './entry.ts';
import type { Chunk, SourceEvent, SourceHead } from './events.ts';
import type { Child, MadeFile } from './folder.ts';
import type { Header } from './header.ts';
import type { Loan } from './loan.ts';
import type { Part } from './range.ts';
import type { Spelling } from './spelling.ts';

/**
 * Maps paths to their locations: the data that Pulp 2 keeps in its database. Each query runs on
 * subscription and errors with `CATALOG_UNAVAILABLE` if it fails. Unsubscribing cancels it.
 */
export interface Catalog {
  /**
   * The spelling of a request's path that counts if there are entries for both: `raw`, as for Pulp
   * 2, which looked up nothing else, or `decoded`, as for every web server. Default: `raw`.
   */
  readonly spelling?: Spelling;
  /**
   * Emits the entries of a path, newest first, those without their unit after the others. Then
   * completes. Emits nothing for an unknown path. `client`: who asks.
   */
  lookup(path: string, client?: string): Observable<CatalogEntry>;
  /**
   * Emits the entry of a path that has none, if its feed may nevertheless have it; then completes.
   * The path is decoded and in its normal form. Emits nothing otherwise. Errors with
   * `TOO_MANY_MISSES` for a client that has asked for too many paths that do not exist. Absent if the
   * catalog knows all paths.
   */
  unlisted?(path: string, client?: string): Observable<CatalogEntry>;
  /**
   * Emits a small file that the catalog itself writes for a path without an entry, then completes;
   * emits nothing for any other path. `askedAs` is the URL by which the client asks for the path,
   * without query. Absent if the catalog writes none.
   */
  made?(path: string, askedAs: () => string | undefined): Observable<MadeFile>;
  /**
   * Emits what is directly below a folder, whose path ends with a slash: at most `limit` files and
   * folders, each once, in the order of their paths, and only those that follow `after`. Then
   * completes. Emits nothing for an unknown folder. Absent if the catalog cannot list.
   */
  children?(folder: string, after: Child | undefined, limit: number): Observable<Child>;
  /**
   * Emits the access data of an importer's feed, then completes. Errors with `SOURCE_BROKEN` for an
   * unknown or broken importer.
   */
  access(importerId: string): Observable<Access>;
  /** Emits the unexpired offers of an entry's unit, one per alternate source, then completes. */
  offers(entry: CatalogEntry): Observable<Offer>;
}

/** An alternate content source offers a unit: one document of Pulp 2's `content_catalog`. */
export interface Offer {
  readonly sourceId: string;
  readonly url: string;
}

/**
 * Emits the candidates of one kind of source for an entry, best first, then completes. It can emit
 * no candidate. An error affects only this kind of source: the others are still asked.
 */
export type FindCandidates = (entry: CatalogEntry) => Observable<Candidate>;

/** A state of the content that the client has: it wants no body then (RFC 9110 section 13.1). */
export type Unless =
  | { readonly etags: readonly string[] }
  /** Milliseconds since 1970. */
  | { readonly modifiedSince: number };

/** The bytes that a source is asked for. */
export interface AskedBytes {
  /**
   * The first byte wanted; if negative, counted from the end. A source that cannot start there
   * starts at byte 0, as its head states.
   */
  readonly from: number;
  /** The last byte wanted; absent for all remaining bytes. A source may send more. */
  readonly last?: number;
  /**
   * Only these parts of the bytes are wanted, in ascending order; the first begins at `from`, the
   * last ends at `last`. A source that sends exactly them, one after the other, repeats them in its
   * head. Any other source may send everything.
   */
  readonly parts?: readonly Part[];
  /**
   * Start and end count only if the representation still has this strong entity tag or date
   * (If-Range, RFC 9110 section 13.1.5).
   */
  readonly ifRange?: string;
  /**
   * No body is wanted if the content is in this state. The head then has the status 304, and nothing
   * follows. A source may ignore it.
   */
  readonly unless?: Unless;
}

/** The request to a source. */
export interface Ask extends AskedBytes {
  readonly method: 'GET' | 'HEAD';
  /**
   * Whether a body with this head must be decoded from gzip. The source then emits the head of the
   * decoded content: without the coding, its length and its entity tag. A source that decodes
   * nothing need not ask.
   */
  readonly decodes?: (head: SourceHead) => boolean;
  /** The client. A source with too few places serves its clients in turn. */
  readonly client?: string;
  /** The trace context (W3C) of the request, if it has one. */
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string };
  /**
   * Called with `true` if the request has to wait for a place at the source, and with `false` once
   * it has one. The source was not asked before that, so its time counts from then.
   */
  readonly waits?: (waiting: boolean) => void;
}

/**
 * Opens a location. Emits one head, then chunks as they arrive and only while the valve is open;
 * completes after the last byte. For HEAD it emits the head alone. Errors with a StreamError.
 * Unsubscribing closes the socket or file at once, also while paused or stalled.
 */
export type OpenSource = (location: Location, ask: Ask) => Flow<SourceEvent>;

/**
 * Writes a copy during a transfer. It never blocks and never throws: a copy that cannot keep up is
 * abandoned.
 */
export interface CopyWriter {
  /** Takes bytes, which it retains if they are lent. */
  write(bytes: Uint8Array, loan?: Loan): void;
  /** The content was complete and correct: keep the copy. */
  commit(): void;
  /** The content was not: remove all its data. */
  abort(): void;
  /** The bytes written so far, for clients that are slower than the source. */
  readonly basin?: Basin<Chunk>;
  /** How far it is. */
  readonly progress?: CopyProgress;
}

/**
 * Opens a place on disk for the bytes of a body from `from` on, for clients that are slower than
 * the source; `rest` is their number, if it is known. Returns nothing if there is no room.
 */
export type OpenSpill = (from: number, rest: number | undefined) => Fillable<Chunk> | undefined;

/**
 * Starts a copy of an entry's content, or returns nothing. `headers` are the client's header
 * fields. Those that describe the content are served with the copy.
 */
export type Keep = (
  entry: CatalogEntry,
  length: number | undefined,
  headers: readonly Header[],
) => CopyWriter | undefined;

/** Requests that a unit is saved permanently. Unique by unit id and path. */
export interface SaveRequest {
  readonly requestId: string;
  /** The request's trace context (W3C), if it has one. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly entry: CatalogEntry;
}

/** The durable queue of save requests. */
export interface Outbox {
  /**
   * Adds a save request. A repeated unit id and path change nothing. Never blocks, never throws.
   */
  append(save: SaveRequest): void;
  /**
   * Completes once all appended save requests are written. Never emits, never errors; unsubscribing
   * only stops waiting. Absent if `append` writes at once.
   */
  readonly written?: Observable<never>;
  /**
   * Emits the save requests that are due, oldest first, and new ones as they arrive. Never
   * completes. A request that was put off is emitted again when it is due. The number of emitted
   * requests that are neither removed nor put off is limited. Further ones follow as these are
   * settled.
   */
  readonly due: Observable<PendingSaveRequest>;
  /** Removes a delivered request. */
  remove(save: PendingSaveRequest): void;
  /** Puts off a request whose delivery failed. It is due again after `delay` milliseconds. */
  putOff(save: PendingSaveRequest, delay: number, reason: string): void;
}

export interface PendingSaveRequest extends SaveRequest {
  readonly id: number;
  /** The number of failed deliveries. */
  readonly failures: number;
  /** Milliseconds since 1970 when it was appended; absent if unknown. */
  readonly notedAt?: number;
}

/**
 * Asks the save target to save a unit. Completes when the target has confirmed, otherwise errors. If
 * the unit can never be saved, emits the reason and completes: the save request is dropped.
 * Unsubscribing stops waiting.
 */
export type Dispatch = (save: PendingSaveRequest) => Observable<string>;
