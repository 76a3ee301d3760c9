import type { Checksum } from './entry.ts';
import { timeOfHttpDate } from './http-date.ts';

/**
 * The conditions of a request (RFC 9110 section 13.1). Entity tags include their quotes; `*`
 * matches any. Times are milliseconds since 1970.
 */
export interface Conditions {
  readonly ifMatch?: readonly string[];
  readonly ifNoneMatch?: readonly string[];
  readonly ifModifiedSince?: number;
  readonly ifUnmodifiedSince?: number;
  /**
   * An entity tag, or a date as the client wrote it. The range counts only while it still matches.
   */
  readonly ifRange?: string;
}

/**
 * The validators that the client receives: they identify a state of the content (RFC 9110 section
 * 8.8).
 */
export interface Validators {
  readonly etag?: string;
  /** An HTTP date. */
  readonly lastModified?: string;
}

/**
 * The entity tag of content with a checksum in the catalog: strong, and the same for each source.
 */
export const etagOf = ({ value }: Checksum): string => `"${value}"`;

/** `W/"a"` and `"a"` match in the weak comparison (RFC 9110 section 8.8.3.2). */
const opaque = (etag: string): string => etag.replace(/^W\//, '');
const isStrong = (etag: string): boolean => etag.startsWith('"');

/**
 * Evaluates conditions for content with these validators, in the order of RFC 9110 section 13.2.2.
 * Returns `412` if the client wants another state, `304` if it already has this one, otherwise
 * nothing. Unknown dates decide nothing. `If-Modified-Since` matches only the same date, to the
 * second, since a mirror's next version can have an earlier one (RFC 9110 section 13.1.3).
 */
export const judge = (conditions: Conditions, { etag, lastModified }: Validators): 304 | 412 | undefined => {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;

  if (ifMatch) {
    const matches = ifMatch.includes('*') || (etag !== undefined && isStrong(etag) && ifMatch.includes(etag));
    if (!matches) return 412;
  } else if (ifUnmodifiedSince !== undefined && timeOf(lastModified) > ifUnmodifiedSince) return 412;

  if (ifNoneMatch) {
    const same = (known: string) => etag !== undefined && opaque(known) === opaque(etag);
    return ifNoneMatch.includes('*') || ifNoneMatch.some(same) ? 304 : undefined;
  }
  return ifModifiedSince !== undefined && timeOf(lastModified) === ifModifiedSince ? 304 : undefined;
};

const timeOf = (date: string | undefined): number => timeOfHttpDate(date) ?? Number.NaN;

/**
 * Whether `If-Range` still holds (RFC 9110 section 13.1.5): the same strong entity tag, or the same
 * date, character by character.
 */
export const holds = (ifRange: string | undefined, { etag, lastModified }: Validators): boolean =>
  ifRange === undefined || (isStrong(ifRange) ? ifRange === etag : ifRange === lastModified);
