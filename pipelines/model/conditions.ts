import type { Checksum } from './entry.ts';

/** The conditions of a request (RFC 9110 section 13.1). Entity tags with their quotes; `*` stands for any. Times in milliseconds since 1970. */
export interface Conditions {
  readonly ifMatch?: readonly string[];
  readonly ifNoneMatch?: readonly string[];
  readonly ifModifiedSince?: number;
  readonly ifUnmodifiedSince?: number;
  /** An entity tag, or a date as it was written: a range counts only while it is what it was then. */
  readonly ifRange?: string;
}

/** What identifies a state of the content, as the client is told (RFC 9110 section 8.8). */
export interface Validators {
  readonly etag?: string;
  /** An HTTP date. */
  readonly lastModified?: string;
}

/** The entity tag of content that the catalog knows by its checksum: strong, and the same whichever source serves it. */
export const etagOf = ({ value }: Checksum): string => `"${value}"`;

/** `W/"a"` and `"a"` are the same weakly (RFC 9110 section 8.8.3.2). */
const opaque = (etag: string): string => etag.replace(/^W\//, '');
const isStrong = (etag: string): boolean => etag.startsWith('"');

/**
 * What conditions make of a request for content with these validators, in the order of RFC 9110 section 13.2.2: `412` where the client
 * wanted another state, `304` where it has this one already, else nothing. Dates that are unknown decide nothing. `If-Modified-Since` holds
 * for the very date alone, to the second: a mirror's next version may well carry an earlier one (RFC 9110 section 13.1.3 allows it).
 */
export const judge = (conditions: Conditions, { etag, lastModified }: Validators): 304 | 412 | undefined => {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const modified = lastModified === undefined ? Number.NaN : Date.parse(lastModified);

  if (ifMatch) {
    const matches = ifMatch.includes('*') || (etag !== undefined && isStrong(etag) && ifMatch.includes(etag));
    if (!matches) return 412;
  } else if (ifUnmodifiedSince !== undefined && modified > ifUnmodifiedSince) return 412;

  if (ifNoneMatch) {
    const same = (known: string) => etag !== undefined && opaque(known) === opaque(etag);
    return ifNoneMatch.includes('*') || ifNoneMatch.some(same) ? 304 : undefined;
  }
  return ifModifiedSince !== undefined && modified === ifModifiedSince ? 304 : undefined;
};

/** Whether `If-Range` still holds (RFC 9110 section 13.1.5): the strong entity tag is the same, or the date to the letter. */
export const holds = (ifRange: string | undefined, { etag, lastModified }: Validators): boolean =>
  ifRange === undefined || (isStrong(ifRange) ? ifRange === etag : ifRange === lastModified);
