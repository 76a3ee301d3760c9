import { type CatalogEntry, isLasting } from './entry.ts';
import type { ErrorCode, StreamError } from './errors.ts';
import type { Header } from './header.ts';

/**
 * How a feed is approached: the credentials and limits of an importer or alternate source. PEM
 * texts, not files.
 */
export interface Access {
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** `false` accepts any server certificate. Default: verify. */
  readonly verifyServer?: boolean;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly proxy?: { readonly url: string; readonly username?: string; readonly password?: string };
  /** Sent with every request to the feed. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Added to the query of every URL at the feed. */
  readonly query?: string;
  /**
   * URL of the feed, if the location may be elsewhere. Only its origin gets anything secret, and its
   * host decides which networks the feed may lead to. Default: the location's own URL.
   */
  readonly home?: string;
  /** The folder of a feed on disk: the root of its locations. */
  readonly root?: string;
  /** The feed's mirrors. */
  readonly mirrors?: readonly Mirrors[];
  /** Milliseconds. If absent, the daemon's settings apply. */
  readonly connectTimeout?: number;
  readonly readTimeout?: number;
  /** Whose credentials and limits these are. */
  readonly owner?: AccessOwner;
  /** Transfers at a time, over all requests; further ones wait. Default: no limit. */
  readonly maxConcurrent?: number;
  /** Bytes per second, all transfers together. Default: no limit. */
  readonly maxSpeed?: number;
}

/** Base URLs that have the same files, best first. Credentials apply at the origin of `home` alone. */
export interface Mirrors {
  readonly home: string;
  readonly bases: readonly string[];
}

/** Whose credentials and limits they are, for logs and limits. */
export interface AccessOwner {
  readonly kind: 'importer' | 'alternate';
  readonly id: string;
}

/** A place that content can be read from. All that a source has to know to open it. */
export interface Location {
  /** `http:`, `https:` or `file:`. */
  readonly url: string;
  /** For `file:` URLs: the folder that the file must lie in, symbolic links resolved. Default: its own folder. */
  readonly root?: string;
  readonly access?: Access;
  /**
   * Header fields of the content, as the catalog or an earlier transfer knows them. A feed's answer
   * is completed with those it lacks; a file gets these instead of fields made from its name and
   * time.
   */
  readonly headers?: readonly Header[];
  /**
   * For files whose content was verified: its sums. The source compares each block with them before
   * its bytes leave, and its head says so (`checked`).
   */
  readonly blocks?: BlockSums;
  /** The state of the file when it was found. A file that is still open in that state is read. */
  readonly version?: string;
  /**
   * The bytes are sent as they are, and neither digested nor compared: an operator trusts this file
   * by its size and time. Nothing claims to have verified them.
   */
  readonly unproven?: boolean;
  readonly problem?: undefined;
}

/** Sums of the blocks of content, computed when its checksum was verified. */
export interface BlockSums {
  /** Bytes of the whole content. */
  readonly length: number;
  /** The CRC-32 of each 64 KiB. The last block may be shorter. */
  readonly crc32: Uint32Array;
}

/** A location that is known to be unusable. An attempt at it fails with its problem. */
export interface BrokenLocation {
  readonly url: string;
  readonly problem: StreamError;
  readonly root?: undefined;
  readonly access?: undefined;
  readonly headers?: undefined;
  readonly blocks?: undefined;
  readonly version?: undefined;
  readonly unproven?: undefined;
}

/**
 * The source that a candidate belongs to: a saved copy, an alternate content source by its id, or a
 * feed by its host. Custom sources name a kind of their own.
 */
export interface SourceId {
  readonly kind: 'saved' | 'alternate' | 'feed' | (string & {});
  /** Bounded in number by the configuration. May be empty if the kind has one source only. */
  readonly id: string;
}

/** The name of a source in logs and reports: `saved`, `alternate:ID`, `feed:HOST`. */
export const sourceName = ({ kind, id }: SourceId): string => (id === '' ? kind : `${kind}:${id}`);

/** An entry at a source: one way to obtain its bytes. */
export type Candidate = (Location | BrokenLocation) & {
  readonly entry: CatalogEntry;
  readonly source: SourceId;
  /**
   * The entry is not the newest of its path, and its content is not known to be the same. Such a
   * candidate is tried last, and no cache may keep its content.
   */
  readonly outdated?: boolean;
};

/** Whether a candidate is a saved copy. Nothing needs to be saved after it. */
export const isCopy = ({ source }: Pick<Candidate, 'source'>): boolean => source.kind === 'saved';

/** Whether the content of a candidate is to be saved, once it was delivered whole and right. */
export const isWorthSaving = (candidate: Candidate): boolean =>
  !isCopy(candidate) && !candidate.outdated && isLasting(candidate.entry);

/** The failures of a source that has other bytes than the entry. */
const OTHER_BYTES: ReadonlySet<ErrorCode> = new Set(['CHANGED', 'WRONG_CHECKSUM', 'WRONG_LENGTH', 'SHORT_BODY']);

/** Whether a source failed because it has other bytes than the entry. */
export const hasOtherBytes = ({ code }: Pick<StreamError, 'code'>): boolean => OTHER_BYTES.has(code);

/** Whether a failed candidate is a saved copy that has become wrong. That says nothing of other copies. */
export const isWrongCopy = (candidate: Pick<Candidate, 'source'>, error: Pick<StreamError, 'code'>): boolean =>
  isCopy(candidate) && hasOtherBytes(error);

/** Where the failures of a location arise: an object store is reached over the network, as a feed is. */
export const errorSourceOf = ({ url }: Pick<Location, 'url'>): 'feed' | 'disk' =>
  /^(https?|s3):/i.test(url) ? 'feed' : 'disk';
