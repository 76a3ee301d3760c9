import { isIP } from 'node:net';
import { type Header, trimBlanks } from '../../../pipelines/model/index.ts';

/** The cookies that one chain of redirects has set. */
export interface Cookies {
  /** Takes the cookies of an answer (RFC 6265 section 5.3). */
  keep(url: URL, headers: readonly Header[]): void;
  /** The value of `Cookie` for a request (RFC 6265 section 5.4); undefined if there is none. */
  of(url: URL): string | undefined;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly path: string;
  readonly isSecure: boolean;
}

/** Bytes of one cookie, and of all that one request carries; more are left out. */
const LONGEST = 4096;
const MOST_BYTES = 8192;

/**
 * Some feeds set a cookie in a redirect, and redirect again until it comes back. A cookie goes only
 * to the origin that set it, whatever its `Domain` would allow, and is forgotten with the chain.
 */
export const createCookies = (now = Date.now): Cookies => {
  const known = new Map<string, Cookie>();
  return {
    keep: (url, headers) => {
      for (const [name, text] of headers) {
        if (name.toLowerCase() !== 'set-cookie') continue;
        const cookie = cookieIn(text, url);
        if (!cookie) continue;
        const key = [cookie.origin, cookie.path, cookie.name].join('\0');
        if (isOver(attributesOf(text), now())) known.delete(key);
        else known.set(key, cookie);
      }
    },
    of: (url) => {
      let text = '';
      const fitting = [...known.values()].filter((cookie) => goesTo(url, cookie));
      for (const { name, value } of fitting.sort((a, b) => b.path.length - a.path.length)) {
        const longer = `${text}${text && '; '}${name}=${value}`;
        if (longer.length <= MOST_BYTES) text = longer;
      }
      return text || undefined;
    },
  };
};

/** The cookie of a `Set-Cookie`, unless it has no name or belongs to another host. */
const cookieIn = (text: string, url: URL): Cookie | undefined => {
  const [pair = ''] = text.split(';', 1);
  const equals = pair.indexOf('=');
  if (equals < 0) return undefined;
  const [name, value] = [trimBlanks(pair, 0, equals), trimBlanks(pair, equals + 1)];
  const { domain = '', path = '', secure } = attributesOf(text);
  if (name === '' || name.length + value.length > LONGEST || !isOf(url.hostname, domain)) return undefined;
  return {
    ...{ name, value, origin: url.origin, isSecure: secure !== undefined },
    path: path.startsWith('/') ? path : url.pathname.replace(/\/[^/]*$/, '') || '/',
  };
};

type Attributes = Readonly<Partial<Record<string, string>>>;

/** By lower-case name. The last of several counts. */
const attributesOf = (text: string): Attributes =>
  Object.fromEntries(
    text
      .split(';')
      .slice(1)
      .map((attribute) => {
        const [name = '', ...value] = attribute.split('=');
        return [trimBlanks(name).toLowerCase(), trimBlanks(value.join('='))];
      }),
  );

/** RFC 6265 section 5.1.3. */
const isOf = (host: string, domain: string): boolean => {
  const own = domain.toLowerCase().replace(/^\./, '');
  return own === '' || host === own || (host.endsWith(`.${own}`) && isIP(host) === 0);
};

const isOver = ({ 'max-age': age = '', expires = '' }: Attributes, now: number): boolean =>
  /^-?\d+$/.test(age) ? Number(age) <= 0 : Date.parse(expires) <= now;

/** RFC 6265 section 5.1.4. */
const goesTo = (url: URL, { origin, path, isSecure }: Cookie): boolean =>
  url.origin === origin &&
  (!isSecure || url.protocol === 'https:') &&
  (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`));
