import { type Candidate, sourceName } from './candidate.ts';
import type { CatalogEntry } from './entry.ts';
import type { Head, SourceHead } from './events.ts';
import { field } from './header.ts';

// All rules for the identity of content are here. The catalog's checksum proves it: the whole body
// is verified with it at the end. An unchanged strong entity tag of a source proves it, too.

/** Whether two entries are known to have the same content. */
export const sameChecksum = (a: Pick<CatalogEntry, 'checksum'>, b: Pick<CatalogEntry, 'checksum'>): boolean =>
  a.checksum !== undefined && a.checksum.algorithm === b.checksum?.algorithm && a.checksum.value === b.checksum.value;

/** Whether two candidates, found at different times, have the same source and URL. */
export const isSame = (a: Candidate, b: Candidate): boolean =>
  sourceName(a.source) === sourceName(b.source) && a.url === b.url;

/** The properties of a started response. */
type Promised = Pick<Head, 'candidate' | 'etag'>;

/**
 * Whether a candidate may deliver the rest of a started response. Any candidate with the same
 * checksum may: the digest proves the whole, and a part must be continued by a source that repeats
 * its last bytes. Without a checksum only the same source may, if it has a strong tag.
 */
export const mayContinue = (candidate: Candidate, { candidate: first, etag }: Promised): boolean =>
  sameChecksum(candidate.entry, first.entry) || (isSame(candidate, first) && etag !== undefined);

/** Whether any other transfer could deliver the rest of a response. */
export const canBeContinued = (promised: Promised): boolean => mayContinue(promised.candidate, promised);

/**
 * The state of content at its source, as the source describes it: by its entity tag, otherwise its
 * date, and by its length and coding. Content that has none of these is always in the same state.
 */
export const stateOf = ({ entry }: Candidate, { etag, headers, length }: SourceHead): string =>
  [etag ?? field(headers, 'etag') ?? field(headers, 'last-modified'), length ?? entry.size, codingOf(headers)].join(
    ' ',
  );

const codingOf = (headers: SourceHead['headers']) => field(headers, 'content-encoding');

/**
 * Whether two heads of one candidate belong to the same content. The checksum decides, otherwise
 * the strong entity tag, otherwise the date. Their codings must be equal, too. Without any of
 * these, two heads are never proven to belong to the same content, not even equal ones.
 */
export const isSameState = ({ entry }: Candidate, a: SourceHead, b: SourceHead): boolean => {
  if (codingOf(a.headers) !== codingOf(b.headers)) return false;
  if (entry.checksum) return true;
  if (a.etag !== undefined || b.etag !== undefined) return a.etag === b.etag;
  const date = field(a.headers, 'last-modified');
  return date !== undefined && date === field(b.headers, 'last-modified');
};
