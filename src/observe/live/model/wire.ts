/**
 * What the server sends to the live page and to `top`. Times are milliseconds since 1970, by the
 * clock of the server.
 */

/** Milliseconds between two frames, and that viewers can look back. */
export const TICK = 250;
export const LOOK_BACK = 300_000;

/** The lane of the client; those of sources, and of what is on disk, count from 0. */
export const CLIENT = -1;
/**
 * The names of lanes that are no sources: of the copy that is kept, and of bytes that wait on disk
 * for the client alone.
 */
export const COPY = 'copy';
export const SPILL = 'spill';
/** Milliseconds from which it is worth telling that a source was done before its client. */
export const EARLY = 1000;

export type MarkKind =
  | 'attempt'
  | 'asked'
  | 'head'
  | 'failed'
  | 'resumed'
  | 'shared'
  | 'behind'
  | 'on-disk'
  | 'recorded'
  /** The source has sent all, and it was right, long before the client had it. */
  | 'whole'
  /** Of what is on disk: it is begun, falls behind, catches up; and what becomes of it. */
  | 'begun'
  | 'lags'
  | 'caught-up'
  | 'kept'
  | 'there'
  | 'given-up'
  | 'too-large'
  | 'dropped'
  | 'end';

/** Something that happened to a stream. */
export interface Mark {
  readonly at: number;
  readonly lane: number;
  readonly kind: MarkKind;
  /** The error code of a failure, what an end was proven with, or why a copy was given up. */
  readonly text?: string;
  /** The byte of the content that it happened at. */
  readonly from?: number;
}

/**
 * Bytes of one second that came by one lane: `[second, lane, bytes]`. Those of the client's lane are
 * told only if it may get others than the sources send.
 */
export type Cell = readonly [second: number, lane: number, bytes: number];
/** Milliseconds of one second in which the client's valve was closed. */
export type Closed = readonly [second: number, milliseconds: number];

export interface Facts {
  readonly path: string;
  /** Absent if clients are not shown. */
  readonly client?: string;
  readonly began: number;
  /** Body bytes that the client got. */
  readonly sent: number;
  /** Bytes of the body, once its head is known; absent if their number is not. */
  readonly length?: number;
  /** The algorithm of the digest that is running or has proven the body. */
  readonly digest?: string;
  /** The body was proven before its head was sent. */
  readonly proven?: boolean;
  /** What becomes of its copy; absent if none is kept. `whole`: it has all, and is not in its place yet. */
  readonly copy?: 'making' | 'whole' | 'kept' | 'there' | 'given-up' | 'too-large' | 'dropped';
  /** Bytes that the disk or the store has of the copy. */
  readonly copied?: number;
  /** Bytes that it should have by now, and has not. */
  readonly behind?: number;
  /** Why the copy was given up. */
  readonly problem?: string;
  /** Bytes that were put on disk for the client alone. */
  readonly spilled?: number;
  /** Milliseconds of all pauses. */
  readonly paused: number;
  /** Whether the valve is closed now. */
  readonly closed?: boolean;
  readonly outcome?: 'complete' | 'failed' | 'left';
  readonly ended?: number;
  /** The error code of a failed request. */
  readonly code?: string;
}

/** What is new of a stream. The first one has all of its facts. */
export interface Patch {
  readonly id: string;
  readonly facts?: Partial<Facts>;
  /** Names of further lanes: sources as `sourceName` writes them, `COPY` and `SPILL`. */
  readonly lanes?: readonly string[];
  readonly marks?: readonly Mark[];
  /** To be added to those of the same second and lane. */
  readonly bytes?: readonly Cell[];
  readonly closed?: readonly Closed[];
}

/** Requests of one prefix from one source: `[index, bytes since the last frame, running now]`. */
export type GroupPatch = readonly [index: number, bytes: number, running: number];

export interface Group {
  readonly prefix: string;
  /** A source as `sourceName` writes it; empty while requests wait for one. */
  readonly source: string;
}

/** The numbers of one second, in the order of the tiles. */
export type TileValues = readonly [
  requests: number,
  sent: number,
  received: number,
  streams: number,
  paused: number,
  resumed: number,
  cut: number,
  pending: number,
  /** Told below the streams, not by a tile. */
  replaced: number,
];

export interface SourceState {
  readonly name: string;
  /** Bytes a second. */
  readonly rate: number;
  /** Milliseconds from the request to the head, of late. */
  readonly firstByte?: number;
  readonly state: 'well' | 'slow' | 'cooling' | 'trial';
  readonly until?: number;
  readonly code?: string;
}

export interface PrefixState {
  readonly prefix: string;
  readonly kind: 'followed' | 'refreshed' | 'imported';
  /** When its feed last confirmed it; 0 if it never did. */
  readonly at: number;
  readonly problem?: string;
}

export interface Side {
  readonly ready: boolean;
  /** What does not work at present, one line for each. */
  readonly degraded: readonly string[];
  readonly sources: readonly SourceState[];
  readonly prefixes: readonly PrefixState[];
  /** Prefixes that are not listed. */
  readonly morePrefixes: number;
  /** Absent if nothing is saved. `oldest` in milliseconds. */
  readonly saves?: {
    readonly waiting: number;
    readonly oldest: number;
    readonly delivered: number;
    readonly putOff: number;
    /** Whether the message broker is connected; absent if there is none. */
    readonly broker?: boolean;
  };
  /** Saved copies. A limit of 0: none in bytes. */
  readonly copies?: { readonly bytes: number; readonly limit: number };
  /** Packages of all repositories; absent if the catalog is Pulp's. */
  readonly packages?: number;
  readonly process: {
    readonly memory: number;
    /** Bytes of buffers that are in use. */
    readonly buffers?: number;
    /** The processes that answer requests; absent if that is the only one. */
    readonly workers?: number;
    readonly delay: number;
    readonly started: number;
    readonly version: string;
  };
}

/** Everything a viewer needs that comes late, or lost frames. */
export interface Snapshot {
  readonly at: number;
  readonly streams: readonly Patch[];
  readonly groups: readonly (Group & {
    readonly running: number;
    readonly cells: readonly (readonly [at: number, bytes: number])[];
  })[];
  /** The last minutes by second, the oldest first. */
  readonly tiles: readonly TileValues[];
  readonly side: Side;
  readonly beyond: number;
}

/** What changed since the frame before. */
export interface Frame {
  readonly at: number;
  readonly streams?: readonly Patch[];
  /** Ids of streams that are no longer shown. */
  readonly gone?: readonly string[];
  readonly newGroups?: readonly Group[];
  readonly groups?: readonly GroupPatch[];
  /** Of seconds that are over. */
  readonly tiles?: readonly TileValues[];
  readonly side?: Side;
  /** Running requests that are only counted. */
  readonly beyond?: number;
}
