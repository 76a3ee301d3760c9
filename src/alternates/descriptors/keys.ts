import { parseUrl } from '../../lib/url.ts';

/** How the text of a key is read. */
interface Reading<T> {
  /** Completes "expected …". */
  readonly expected: string;
  /** `undefined` if the text is not valid. */
  read(text: string): T | undefined;
}

/** A key, and its value in a descriptor without it. A key without this function is required. */
interface Key<T> extends Reading<T> {
  readonly missing?: () => T;
}

const reading = <T>(expected: string, read: (text: string) => T | undefined): Reading<T> => ({ expected, read });

const optional = <T>(one: Reading<T>): Key<T | undefined> => ({ ...one, missing: () => undefined });

const otherwise = <T>(one: Reading<T>, byDefault: T): Key<T> => ({ ...one, missing: () => byDefault });

const matching = (expected: string, pattern: RegExp) =>
  reading(expected, (text) => (pattern.test(text) ? text : undefined));

const whole = (min: number, max: number) =>
  reading(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });

const truth = reading('yes or no', (text) => {
  if (/^(yes|true|on|1)$/i.test(text)) return true;
  return /^(no|false|off|0)$/i.test(text) ? false : undefined;
});

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const lifetime = reading('a duration above 0: seconds, or a number with one of the suffixes s, m, h, d', (text) => {
  const [, number, suffix = 's'] = /^(\d+(?:\.\d+)?)\s*([smhd])?$/i.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS[suffix.toLowerCase()] ?? Number.NaN);
  return seconds > 0 ? seconds : undefined;
});

const speed = reading('a number of bytes per second above 0', (text) =>
  /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined,
);

const baseUrl = reading('file:///…, http://… or https://…, without ? and #', (text) => {
  const url = parseUrl(text);
  if (!url || !/^(file|https?):$/.test(url.protocol) || url.search !== '' || url.hash !== '') return undefined;
  if (url.protocol === 'file:' && !namesFolder(url)) return undefined;
  return url.href.replace(/\/*$/, '/');
});

/** `file://server/share` is on another machine, and a name cannot contain `%2F`. */
const namesFolder = (url: URL): boolean => url.host === '' && !/%(2f|00)/i.test(url.pathname);

/**
 * Lists may span several lines. A single backslash at the end of a line is a habit from shells, and
 * ignored.
 */
const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '' && word !== '\\');

/** Whether a path leads below the base that it is appended to. */
const isBelow = (path: string): boolean =>
  !/[?#\\]/.test(path) &&
  !path
    .replaceAll(/%2e/gi, '.')
    .split('/')
    .some((part) => part === '..' || part === '.');

const toFolder = (word: string): string => word.replace(/^\/+|\/+$/g, '').replace(/.$/, '$&/');

/** The folders in order, each once, and the invalid words. An invalid word does not affect the others. */
const paths = reading('folders below base_url, separated by white space', (text) => {
  const words = wordsOf(text);
  const folders = words.filter(isBelow).map(toFolder);
  if (words.length > 0 && folders.length === 0) return undefined;
  return { folders: [...new Set(folders)], wrong: words.filter((word) => !isBelow(word)) };
});

/** RFC 9110 section 5: a text that could smuggle in another field is not a header. */
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([\x21-\x7e]*)$/;

const headers = reading('NAME=VALUE pairs, separated by white space', (text) => {
  const all = wordsOf(text).map((word) => HEADER.exec(word));
  if (all.some((match) => match === null)) return undefined;
  return all.map((match) => [match?.[1] ?? '', match?.[2] ?? ''] as const);
});

const some = matching('some text', /./);

/** The keys of a descriptor; other keys are tolerated. */
const keysFor = (types: readonly string[]) => ({
  enabled: truth,
  type: reading(`one of ${types.join(', ')}`, (text) => types.find((type) => type === text)),
  base_url: baseUrl,
  name: optional(some),
  priority: otherwise(whole(-1e9, 1e9), 0),
  expires: otherwise(lifetime, 86_400),
  paths: otherwise(paths, { folders: [], wrong: [] }),
  max_concurrent: otherwise(whole(1, 65_535), 2),
  max_speed: optional(speed),
  ssl_ca_cert: optional(some),
  ssl_client_cert: optional(some),
  ssl_client_key: optional(some),
  ssl_validation: otherwise(truth, true),
  proxy_url: optional(
    matching('a host, or http(s)://HOST, without its port', /^(https?:\/\/)?(\[[\da-f:.]+\]|[^\s/:@[\]]+)\/?$/i),
  ),
  proxy_port: optional(whole(1, 65_535)),
  proxy_username: optional(some),
  proxy_password: optional(some),
  basic_auth_username: optional(some),
  basic_auth_password: optional(some),
  headers: otherwise(headers, []),
});

type KeysFor = ReturnType<typeof keysFor>;
/** The values of a descriptor. */
export type Keys = { readonly [Name in keyof KeysFor]: KeysFor[Name] extends Reading<infer Value> ? Value : never };

/** What is wrong with a descriptor, key by key. */
interface Faults {
  readonly faults: readonly { readonly key: string; readonly problem: string }[];
}

/** Reads the texts of a descriptor, whose `type` must be one of `types`. */
export const readKeys = (texts: ReadonlyMap<string, string>, types: readonly string[]): Keys | Faults => {
  const faults: Faults['faults'][number][] = [];
  const read = ([name, key]: [string, Key<unknown>]): [string, unknown] => {
    const text = texts.get(name);
    const value = text === undefined ? key.missing?.() : key.read(text);
    if (value === undefined && text !== undefined) faults.push({ key: name, problem: `expected ${key.expected}` });
    if (text === undefined && !key.missing) faults.push({ key: name, problem: `is missing; expected ${key.expected}` });
    return [name, value];
  };
  const values = Object.fromEntries(Object.entries<Key<unknown>>(keysFor(types)).map(read));
  return faults.length > 0 ? { faults } : (values as Keys);
};
