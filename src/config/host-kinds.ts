import { authorityText, type HostPattern, readAuthority } from '../lib/host-pattern.ts';
import { ITEMS, type Kind } from './kinds.ts';

/** A host and a path at it, whose files the catalog has below a prefix. */
export interface MappedHost extends HostPattern {
  /** Without a slash at its end; empty for the whole host. */
  readonly path: string;
  /** The same. */
  readonly prefix: string;
}

/** A host, and how it is asked. */
export interface FollowedHost extends HostPattern {
  readonly scheme: 'http' | 'https';
}

/** Stands for a `*` while the rest of the name is read as that of a host. */
const STAR = 'any-part-of-the-name';

/** A `*` may stand before a domain, not for the end of a name: that would be any host. */
const readPattern = (text: string, scheme: string): HostPattern | undefined => {
  if (/\*.*\*|\*[^.]*$/.test(text)) return undefined;
  const read = readAuthority(text.replace('*', STAR), scheme);
  return read && { ...read, host: read.host.replace(STAR, '*') };
};

const itemsOf = (text: string): readonly string[] =>
  text.trim() === '' ? [] : text.split(',').map((one) => one.trim());

/** A comma-separated list; each item is read and shown separately. */
const listOf = <T>(
  item: { read(text: string): T | undefined; format(value: T): string },
  expected: string,
): Kind<readonly T[]> => ({
  read: (text) => {
    const items = itemsOf(text).map(item.read);
    return items.every((one) => one !== undefined) ? items : undefined;
  },
  expected: `a comma-separated list of ${expected}`,
  placeholder: 'hosts',
  ...ITEMS,
  format: (value) => value.map(item.format).join(', '),
});

/** The port that the scheme implies. */
const HTTPS = 443;

const NAMES = 'one * may stand for a part of the name before its domain';

const withoutEnd = (path: string): string => path.replace(/\/+$/, '');

export const mappedHosts: Kind<readonly MappedHost[]> = listOf(
  {
    read: (text) => {
      const [, authority = '', path = '', prefix = ''] =
        /^([^\s/=]+)(\/[^\s=?#]*)?\s*=\s*(\/[^\s=?#]*)$/.exec(text) ?? [];
      const host = readPattern(authority, 'http');
      return host && { ...host, path: withoutEnd(path), prefix: withoutEnd(prefix) };
    },
    format: ({ path, prefix, ...host }) => `${authorityText(host)}${path}=${prefix || '/'}`,
  },
  `HOST[:PORT][/PATH]=/PREFIX; ${NAMES}`,
);

export const followedHosts: Kind<readonly FollowedHost[]> = listOf(
  {
    read: (text) => {
      const [, scheme = 'http', authority = ''] = /^(?:(https?):\/\/)?([^\s/]+)\/?$/i.exec(text) ?? [];
      const known = scheme.toLowerCase() === 'https' ? 'https' : 'http';
      const host = readPattern(authority, known);
      return host && { ...host, scheme: known };
    },
    format: ({ scheme, ...host }) => `${scheme === 'https' ? 'https://' : ''}${authorityText(host)}`,
  },
  `[https://]HOST[:PORT]; ${NAMES}`,
);

export const tunnelledHosts: Kind<readonly HostPattern[]> = listOf(
  {
    read: (text) => (/:\d+$/.test(text) ? readPattern(text, 'https') : undefined),
    format: ({ host, port = HTTPS }) => `${host}:${port}`,
  },
  `HOST:PORT; ${NAMES}`,
);
