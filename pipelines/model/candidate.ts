import type { CatalogEntry } from './entry.ts';
import type { StreamError } from './errors.ts';
import type { Header } from './header.ts';

/** How a feed is to be approached: one importer's (or alternate source's) credentials and limits. PEM texts, not files. */
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
  /** Milliseconds. Where absent, the daemon's settings apply. */
  readonly connectTimeout?: number;
  readonly readTimeout?: number;
  /** Transfers at a time, over all requests: further ones wait for a place. Default: no limit. */
  readonly maxConcurrent?: number;
  /** Bytes per second, all transfers together. Default: no limit. */
  readonly maxSpeed?: number;
}

/** An entry at a source: one way to have its bytes. */
export interface Candidate {
  readonly entry: CatalogEntry;
  /** Names the source in logs and metrics: `saved`, `alternate:ID` or `feed:HOST`. Bounded in number by the configuration. */
  readonly source: string;
  /** `http:`, `https:` or `file:`. */
  readonly url: string;
  /** For `file:` URLs: the folder that the file must lie in, symbolic links resolved. */
  readonly root?: string;
  readonly access?: Access;
  /** The source is the copy that an earlier save made: nothing needs saving after it. */
  readonly isCopy?: boolean;
  /** For copies: what the transfer that they were made of said of the content (type, coding, tag, date). It counts instead of what the file tells. */
  readonly headers?: readonly Header[];
  /** The entry is not the path's newest, and nothing proves its content the same: it is tried last, and no cache may keep it. */
  readonly outdated?: boolean;
  /** Set where the source is known to be unusable; trying the candidate fails with it. A broken source is thereby a failed attempt like any other. */
  readonly problem?: StreamError;
}

/** Where a candidate's failures arise. */
export const errorSourceOf = ({ url }: Pick<Candidate, 'url'>): 'feed' | 'disk' =>
  /^https?:/i.test(url) ? 'feed' : 'disk';
