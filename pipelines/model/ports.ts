import type { Observable } from 'rxjs';
import type { Valve } from '../operators/flow.ts';
import type { Access, Candidate, Location } from './candidate.ts';
import type { CatalogEntry } from './entry.ts';
import type { SourceEvent } from './events.ts';
import type { Header } from './header.ts';

/**
 * Says where paths really live: what Pulp 2 keeps in its database. Each answer is asked for on subscription and errors with
 * `CATALOG_UNAVAILABLE` where it cannot be had; unsubscribing drops it.
 */
export interface Catalog {
  /** Emits what is known of a path, newest first, then completes; nothing for an unknown path. */
  lookup(path: string): Observable<CatalogEntry>;
  /** Emits how an importer's feed is to be approached, then completes; errors with `SOURCE_BROKEN` for an unknown or broken importer. */
  access(importerId: string): Observable<Access>;
  /** Emits where alternate content sources have an entry's unit, one unexpired offer a source, then completes. */
  offers(entry: CatalogEntry): Observable<Offer>;
}

/** An alternate content source has a unit: one document of Pulp 2's `content_catalog`. */
export interface Offer {
  readonly sourceId: string;
  readonly url: string;
}

/**
 * Emits the ways in which one kind of source could give an entry's bytes, best first, then completes; none is a fine answer.
 * An error is a defect of that source alone: the other sources are still asked.
 */
export type FindCandidates = (entry: CatalogEntry) => Observable<Candidate>;

/** Which bytes a source is asked for. */
export interface AskedBytes {
  /** The first byte wanted; where negative, counted from the end. A source that cannot start there answers from byte 0 and says so in its head. */
  readonly from: number;
  /** The last byte wanted; absent for all the rest. A source may send more. */
  readonly last?: number;
  /** Start and end count only where the representation still has this strong entity tag or date (If-Range, RFC 9110 section 13.1.5). */
  readonly ifRange?: string;
}

/** What a source is asked for. */
export interface Ask extends AskedBytes {
  readonly method: 'GET' | 'HEAD';
  /** The request's valve: the source reads only while it is open. */
  readonly valve: Valve;
}

/**
 * Opens a location. Emits one head, then chunks as they arrive and only while the valve is open;
 * completes after the last byte. For HEAD it emits the head alone. Errors with a StreamError.
 * Unsubscribing closes the socket or file at once, also while paused or stalled.
 */
export type OpenSource = (location: Location, ask: Ask) => Observable<SourceEvent>;

/** One copy in the making, beside a running transfer. It never blocks and never throws: a copy that cannot keep up gives itself up. */
export interface CopyWriter {
  write(bytes: Uint8Array): void;
  /** The content was whole and right. */
  commit(): void;
  /** The content was not; nothing of it stays behind. */
  abort(): void;
}

/** Begins a copy of an entry's content, or declines. The header fields are those that the client gets: the copy is served with what they say of the content. */
export type Keep = (
  entry: CatalogEntry,
  length: number | undefined,
  headers: readonly Header[],
) => CopyWriter | undefined;

/** The wish that a unit be saved for good. Unique by unit id and path. */
export interface SaveRequest {
  readonly requestId: string;
  /** The request's place in a trace (W3C Trace Context), where it has one. */
  readonly traceparent?: string;
  readonly entry: CatalogEntry;
}

/** Where wishes wait until they are delivered. */
export interface Outbox {
  /** Notes a wish, once per unit id and path. Never blocks, never throws; a repeated wish changes nothing. */
  append(save: SaveRequest): void;
  /**
   * Emits each wish that waits, oldest first, and each new one as it comes; never completes. A wish is emitted once until it is put off
   * (then again when it is due) or removed, and only so many are out at a time: further ones follow as those are settled.
   */
  readonly due: Observable<PendingSaveRequest>;
  /** The other side has it: forget it. */
  remove(save: PendingSaveRequest): void;
  /** It could not be delivered: due again after `delay` milliseconds. */
  putOff(save: PendingSaveRequest, delay: number, reason: string): void;
}

export interface PendingSaveRequest extends SaveRequest {
  readonly id: number;
  /** Failed deliveries so far. */
  readonly failures: number;
}

/** Asks the other side to save a unit. Completes when it has confirmed; errors where it has not. Unsubscribing gives up waiting. */
export type Dispatch = (save: PendingSaveRequest) => Observable<never>;
