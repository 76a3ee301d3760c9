import type { Access } from '../../../pipelines/model/index.ts';
import { parseUrl } from '../../lib/url.ts';

/** A URL, and how it is approached. */
export interface FeedPlace {
  readonly url: string;
  readonly access: Access;
}

/**
 * The places of a file, best first: its URL, or the same file at each mirror of its feed. The
 * credentials go to the origin that the mirrors were named at, and to no other.
 */
export const placesOf = (url: string, access: Access): readonly FeedPlace[] => {
  const found = access.mirrors?.find(({ bases }) => bases.some((base) => url.startsWith(base)));
  const own = found?.bases.find((base) => url.startsWith(base));
  if (!found || own === undefined) return [{ url, access }];
  const home = parseUrl(found.home)?.origin;
  return found.bases.map((base) => ({
    url: base + url.slice(own.length),
    access: parseUrl(base)?.origin === home ? access : withoutCredentials(access),
  }));
};

/** Without anything secret or that widens trust. One object for each access, which sources recognize. */
const withoutCredentials = (access: Access): Access => {
  const known = bare.get(access);
  if (known) return known;
  const { proxy, owner, connectTimeout, readTimeout, maxConcurrent, maxSpeed } = access;
  const made: Access = {
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
