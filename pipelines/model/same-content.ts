import { type Candidate, sourceName } from './candidate.ts';
import type { CatalogEntry } from './entry.ts';
import type { Head, SourceHead } from './events.ts';
import { field } from './header.ts';

// The one place that says when bytes are known to belong to the same content. Two things prove it:
// the catalog's checksum, by which the whole is judged in the end, and a source's own strong entity
// tag, as long as it stays the same.

/** Whether two entries are known to have the same content. */
export const sameChecksum = (a: Pick<CatalogEntry, 'checksum'>, b: Pick<CatalogEntry, 'checksum'>): boolean =>
  a.checksum !== undefined && a.checksum.algorithm === b.checksum?.algorithm && a.checksum.value === b.checksum.value;

/** Whether two candidates, found at different times, are the same way to the same bytes. */
export const isSame = (a: Candidate, b: Candidate): boolean =>
  sourceName(a.source) === sourceName(b.source) && a.url === b.url;

/** What is known of a response that has begun: which content it is of, and whether it is the whole of it. */
type Promised = Pick<Head, 'candidate' | 'whole' | 'etag'>;

/**
 * Whether a candidate may deliver the rest of a response that has begun: any one with the same
 * checksum if the response is the whole content, otherwise the same source with its strong tag.
 */
export const mayContinue = (candidate: Candidate, { candidate: first, whole, etag }: Promised): boolean =>
  (whole && sameChecksum(candidate.entry, first.entry)) || (isSame(candidate, first) && etag !== undefined);

/** Whether the rest of a response could be delivered by another transfer at all. */
export const canBeContinued = (promised: Promised): boolean => mayContinue(promised.candidate, promised);

/**
 * Whether two heads of one candidate are of the same content: by the checksum, otherwise by the
 * strong entity tag, otherwise by the date. Their codings must agree as well. Heads without any of
 * these are never known to be of the same content, not even one and itself.
 */
export const isSameState = ({ entry }: Candidate, a: SourceHead, b: SourceHead): boolean => {
  const coding = ({ headers }: SourceHead) => field(headers, 'content-encoding');
  if (coding(a) !== coding(b)) return false;
  if (entry.checksum) return true;
  if (a.etag !== undefined || b.etag !== undefined) return a.etag === b.etag;
  const date = field(a.headers, 'last-modified');
  return date !== undefined && date === field(b.headers, 'last-modified');
};
