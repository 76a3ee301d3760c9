import type { Access } from '../../../pipelines/model/index.ts';
import { parseUrl } from '../../lib/url.ts';

/** A URL, and how it is approached. */
export interface FeedPlace {
  readonly url: string;
  readonly access: Access;
}

/**
 * The places of a file, best first: its URL, or the same file at each mirror of its feed. The
 * credentials go to the origin of the feed, or that the mirrors were named at, and to no other.
 */
export const placesOf = (url: string, access: Access): readonly FeedPlace[] => {
  const found = access.mirrors?.find(({ bases }) => bases.some((base) => url.startsWith(base)));
  const own = found?.bases.find((base) => url.startsWith(base));
  if (!found || own === undefined) return [{ url, access: accessFrom(access.home, url, access) }];
  return found.bases.map((base) => ({
    url: base + url.slice(own.length),
    access: accessFrom(found.home, base, access),
  }));
};

/** The access at a URL on behalf of a home. */
const accessFrom = (home: string | undefined, url: string, access: Access): Access => {
  const origin = home === undefined ? undefined : parseUrl(home)?.origin;
  return home === undefined || parseUrl(url)?.origin === origin ? access : withoutCredentials(access, home);
};

/**
 * Without anything secret (password, header fields, client certificate), and without what widens
 * trust (own CA, no verification). One object for each access and home, which sources recognize.
 */
export const withoutCredentials = (access: Access, home = access.home): Access => {
  const known = bare.get(access);
  if (known && known.home === home) return known;
  const { proxy, owner, connectTimeout, readTimeout, maxConcurrent, maxSpeed } = access;
  const made: Access = {
    ...(home !== undefined && { home }),
    ...(proxy && { proxy }),
    ...(owner && { owner }),
    ...(connectTimeout !== undefined && { connectTimeout }),
    ...(readTimeout !== undefined && { readTimeout }),
    ...(maxConcurrent !== undefined && { maxConcurrent }),
    ...(maxSpeed !== undefined && { maxSpeed }),
  };
  bare.set(access, made);
  return made;
};

const bare = new WeakMap<Access, Access>();
