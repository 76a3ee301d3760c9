/**
 * Which spelling of a request's path a catalog is asked for first: `raw`, as it stood on the wire,
 * or `decoded`.
 */
export type Spelling = 'raw' | 'decoded';

/** A path percent-decoded; as it is, if it is not percent-encoded properly. */
export const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/**
 * A path in the normal form of RFC 3986 section 6.2.2: escapes in upper case, none for characters
 * that need none, and without dot segments. `..` at the root stays at the root. Doubled slashes
 * stay: they can be part of a name.
 */
export const normalPath = (path: string): string => {
  const decoded = path.includes('%') ? path.replace(/%[\da-f]{2}/gi, plain) : path;
  return decoded.includes('/.') ? withoutDots(decoded) : decoded;
};

/** An escape of an unreserved character decoded, any other in upper case. */
const plain = (escaped: string): string => {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : escaped.toUpperCase();
};

/**
 * A path that begins with a slash, without dot segments (RFC 3986 section 5.2.4). The paths of a
 * catalog are names, not URLs: for them this is the whole normal form.
 */
export const withoutDots = (path: string): string => {
  const [, ...segments] = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1);
  return `/${kept.join('/')}${kept.length > 0 && (last === '.' || last === '..') ? '/' : ''}`;
};

/** A path with one slash in place of several in a row. */
export const mergeSlashes = (path: string): string => path.replace(/\/{2,}/g, '/');
