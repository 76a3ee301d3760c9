import { type SchedulerLike, Subject } from 'rxjs';
import { type Chunk, errorSourceOf, type Head, LOANS, type OpenSpill } from '../model/index.ts';
import type { Basins } from '../operators/basin.ts';
import { shareFlow } from '../operators/share-flow.ts';
import type { TransferEvent } from './transfer.ts';

/** The transfers in progress, which other requests may join. */
export interface Sharing {
  /** Shares a transfer by the key of its content: see `shareFlow`. */
  readonly join: ReturnType<typeof shareFlow<TransferEvent>>;
  /** Whether requests for the same content share a transfer. */
  readonly shares: boolean;
  /** Whether the bytes of a transfer can wait on disk. */
  readonly spills: boolean;
  /** Ends the transfers that run on without a client, and those whose bytes wait for one. */
  close(): void;
}

interface SharingOptions {
  /** Bytes of one transfer kept for slower clients. 0: each request has its own transfer. */
  readonly window: number;
  /** The limit for all transfers together. */
  readonly memory: number;
  /**
   * Where the bytes of a transfer wait for a slow client, if no copy of it is kept. Without it,
   * they wait at the source.
   */
  readonly spill?: OpenSpill;
  /**
   * Bytes up to which the rest of a transfer that its last client left runs on. Default: 0.
   */
  readonly finishBelow?: number;
  readonly scheduler?: SchedulerLike;
}

/**
 * Bytes that all clients have received, kept for late joiners. Once there are more, joining ends. A
 * transfer with a single client keeps at most this.
 */
const LATE_JOIN = 256 * 1024;

/**
 * Milliseconds for which a client takes nothing until its transfer runs on without it. Clients that
 * are hardly slower than the source need no disk.
 */
const LAG = 1000;

/** Makes the memory of transfers in progress, which requests for the same content join. */
export const createSharing = ({ window, memory, spill, finishBelow = 0, scheduler }: SharingOptions): Sharing => {
  const closing = new Subject<void>();
  return {
    shares: window > 0,
    spills: spill !== undefined,
    join: shareFlow<TransferEvent>({
      size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
      lateJoinWindow: Math.min(window, LATE_JOIN),
      window,
      memory,
      lending: LOANS,
      closing,
      ...(spill && { basins: basinsOf(spill, finishBelow) }),
      ...(scheduler && { scheduler }),
    }),
    close: () => closing.next(),
  };
};

/** Bytes from which on clients fetch content by parallel parts: packages are seldom as large. */
const LARGE = 16 * 1024 * 1024;

/**
 * Whether parts may have to be cut from it: it has a checksum, and its source has not said that it
 * sends parts. If a copy is kept, they are cut from that.
 */
const mayBeCut = ({ candidate, whole, length = 0, sourceStatus, acceptRanges, keepsCopy }: Head): boolean => {
  const isWhole = whole && sourceStatus === 200 && candidate.entry.checksum !== undefined;
  return isWhole && length >= LARGE && acceptRanges !== 'bytes' && !keepsCopy;
};

/** Only a chunk is taken in pieces: nothing else has a size. */
const rest = (event: TransferEvent, taken: number): Chunk => {
  const chunk = event as Chunk;
  return { ...chunk, bytes: chunk.bytes.subarray(taken) };
};

/** Only a feed's connection is scarce: a file that is read slowly keeps nobody waiting. */
const basinsOf = (spill: OpenSpill, finishBelow: number): Basins<TransferEvent> => ({
  about: (event) =>
    event.type === 'head'
      ? {
          ...{ total: event.length, scarce: errorSourceOf(event.candidate) === 'feed', basin: event.basin },
          stays: mayBeCut(event),
          // The next request tries the newest entry first, whose source may have recovered.
          fleeting: event.candidate.outdated ?? false,
        }
      : undefined,
  make: spill,
  rest,
  onDivert: (basin) => ({ type: 'on-disk', basin }),
  lag: LAG,
  finishBelow,
});
