import { type ByteRange, type CatalogEntry, etagOf, holds, type StreamRequest } from '../../model/index.ts';

/** What a request wants of content: a range while `ifRange` holds, or the whole. */
export interface Wanted {
  readonly range?: ByteRange;
  readonly ifRange?: string;
}

/** What a request wants of an entry's content. Where the catalog's checksum makes the entity tag, it decides `If-Range`: sources know nothing of it. */
export const wanted = ({ method, ranges, conditions }: StreamRequest, { checksum, replaced }: CatalogEntry): Wanted => {
  const range = method === 'GET' ? ranges?.[0] : undefined;
  const ifRange = conditions?.ifRange;
  if (!range) return {};
  if (ifRange === undefined) return { range };
  // A weak entity tag proves nothing about bytes.
  if (ifRange.startsWith('W/')) return {};
  // What was there before may have had the same date, and none is told of what is there now.
  if (replaced && !ifRange.startsWith('"')) return {};
  if (checksum && ifRange.startsWith('"')) return holds(ifRange, { etag: etagOf(checksum) }) ? { range } : {};
  return { range, ifRange };
};
