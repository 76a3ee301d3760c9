/** A `%` that begins no escape, and what RFC 3986 (appendix A) lets no URL contain. */
const STRAY = /%(?![0-9a-fA-F]{2})|[^\w.~!#$&'()*+,/:;=?@[\]%-]/gu;

/**
 * A URL as catalogs and descriptors contain it: Pulp puts file names into URLs as they are. Whatever
 * no URL can contain is percent-encoded, as Pulp's HTTP client does: a bare `%` becomes `%25`, a
 * backslash `%5C`, which the URL standard takes for a slash. `#` and `?` end the path.
 * Returns `undefined` if the text is not a URL.
 */
export const parseUrl = (text: string, base?: URL): URL | undefined =>
  URL.parse(
    text.toWellFormed().replace(STRAY, (character) => encodeURIComponent(character)),
    base?.href,
  ) ?? undefined;
