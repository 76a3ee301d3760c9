import type { Version } from './content.ts';
import { spansOf } from './ranges.ts';
import type { Asked, Stated } from './requests.ts';
import type { Admissible } from './truth.ts';

/** An entity tag without the mark of a weak one. */
export const opaque = (tag: string | undefined) => tag?.replace(/^W\//, '');

/** Whether `If-Match` names a version, by the strong comparison of RFC 9110 section 13.1.1. */
export const isNamed = ({ tags }: Stated, { etag }: Version): boolean =>
  tags.includes('*') || (etag !== undefined && !etag.startsWith('W/') && tags.includes(etag));

/**
 * Whether `If-Range` is about this version. A cache with a replaced version only knows its date.
 */
export const isHeld = ({ version: meant, text }: Stated, { version, kept }: Admissible): boolean =>
  meant === version || ((kept || !meant) && text === version.lastModified);

/** Whether 304 is right: the client has this version (RFC 9110 sections 13.1.2 and 13.1.3). */
export const isKnown = ({ conditions }: Asked, { version, kept }: Admissible): boolean => {
  const { 'If-None-Match': tag, 'If-Modified-Since': date } = conditions;
  if (tag) return tag.tags.includes('*') || tag.tags.some((one) => opaque(one) === opaque(version.etag));
  if (!date) return false;
  if (date.version && !kept) return date.version === version;
  return version.lastModified !== undefined && Date.parse(version.lastModified) <= (date.date ?? 0);
};

/** Whether 412 is right. A cache that does not know the date may send it: nginx does. */
export const isRefused = ({ conditions }: Asked, version: Version, cached: boolean): boolean => {
  const { 'If-Match': tag, 'If-Unmodified-Since': date } = conditions;
  if (tag && !isNamed(tag, version)) return true;
  // Caches compare the date in addition to the tag.
  if (!date || (tag && !cached)) return false;
  if (date.version) return cached || date.version !== version;
  return cached || Date.parse(version.lastModified ?? '') > (date.date ?? 0);
};

/** Whether a range may be answered with 416. A malformed one may, too (RFC 9110 section 14.2). */
export const hasNone = ({ range }: Asked, { bytes }: Version): boolean =>
  range !== undefined && (range.specs ? spansOf(range, bytes.length).length === 0 : range.text.startsWith('bytes='));
