import { isIPv4 } from 'node:net';
import { isAbsolute, resolve } from 'node:path';

/** A kind of value: how its text is read, shown, and described to an operator. */
export interface Kind<T> {
  /** The value that a text stands for, or `undefined` if the text is not of this kind. */
  read(text: string): T | undefined;
  /** Completes "expected …". */
  readonly expected: string;
  /** Stands for the value in help texts. */
  readonly placeholder: string;
  /** What programs that embed the streamer write, as a type of TypeScript. */
  readonly option: string;
  /** The text of a list or an object that they write; `undefined` if no text stands for it. */
  textOf?(value: object): string | undefined;
  /** The unit that operators write and read. */
  readonly unit?: 's' | 'bytes';
  /** The number in that unit. Absent if the value already counts it. */
  inUnit?(value: T): number;
  /** The value as an operator could have written it. */
  format(value: T): string;
  /** Whether `credential:NAME` stands for the file of one of systemd's credentials. */
  readonly credential?: true;
}

const within = (value: number, min: number, max: number): number | undefined =>
  value >= min && value <= max ? value : undefined;

export const integer = (min: number, max: number): Kind<number> => ({
  read: (text) => (/^\d+$/.test(text.trim()) ? within(Number(text), min, max) : undefined),
  expected: `a whole number from ${min} to ${max}`,
  placeholder: 'number',
  option: 'number',
  format: String,
});

/** A number of seconds, or one with its unit, such as `'500 ms'`, `'10s'` or `'1.5 h'`. */
export type Duration = number | `${number}${'' | ' '}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A whole number, or what the machine has. */
export const integerOrAuto = (min: number, max: number): Kind<number | 'auto'> => ({
  read: (text) => (text.trim().toLowerCase() === 'auto' ? 'auto' : integer(min, max).read(text)),
  expected: `auto, or ${integer(min, max).expected}`,
  placeholder: 'number',
  option: "number | 'auto'",
  format: String,
});

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: 60 * SECOND, h: 3600 * SECOND, d: DAY };

/** NaN if the text is not a duration. */
const toMilliseconds = (text: string): number => {
  const [, number, suffix = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/i.exec(text.trim()) ?? [];
  // Timers and sockets of Node require whole numbers, and 1.001 * 1000 is not one.
  return Math.round(Number(number) * (DURATIONS[suffix.toLowerCase()] ?? Number.NaN));
};

const inSeconds = (milliseconds: number): number => milliseconds / SECOND;

/** Written in seconds by operators, a number of milliseconds in settings. */
const duration = {
  placeholder: 'duration',
  option: 'Duration',
  unit: 's',
  inUnit: inSeconds,
  format: (value: number) => `${inSeconds(value)} s`,
} as const;
const SUFFIXES = 'seconds, or a number with one of the suffixes ms, s, m, h, d';

// A timer of Node that is set beyond 2^31 − 1 milliseconds fires at once instead of never.
const LONGEST_TIMER_DAYS = 24;

/** A time to wait, in milliseconds. */
export const wait = (min: 0 | 1): Kind<number> => ({
  ...duration,
  read: (text) => within(toMilliseconds(text), min, LONGEST_TIMER_DAYS * DAY),
  expected: `a duration ${min === 0 ? 'from 0' : 'of 1 ms'} to ${LONGEST_TIMER_DAYS} d: ${SUFFIXES}`,
});

/**
 * An age in milliseconds. Caches count ages in whole seconds, and up to 2^31 of them (RFC 9111
 * section 1.2.2).
 */
export const age: Kind<number> = {
  ...duration,
  read: (text) => {
    const value = toMilliseconds(text);
    return value % SECOND === 0 ? within(value, 0, 2 ** 31 * SECOND) : undefined;
  },
  expected: `a duration of whole seconds, at most 2147483648: ${SUFFIXES}`,
};

/** A number of bytes, or one with its unit, such as `'16 MiB'`: powers of 1000 (`k`, `M` …) or of 1024 (`KiB` …). */
export type Size = number | `${number}${'' | ' '}${'k' | 'M' | 'G' | 'T' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`;

/** A percentage of a file system, such as `'50 %'`. */
export type Share = `${number}${'' | ' '}%`;

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const toBytes = (text: string): number | undefined => {
  const [, number, suffix = 'b'] = /^(\d+(?:\.\d+)?)\s*(b|[kmgt]i?b|[kmgt])?$/i.exec(text.trim()) ?? [];
  const unit = suffix.toLowerCase().replace(/^([kmgt])b$/, '$1');
  const value = Number(number) * (BYTES[unit] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
};

const formatBytes = (value: number): string => {
  const unit =
    value === 0
      ? undefined
      : ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => value % (BYTES[name.toLowerCase()] ?? 1) === 0);
  return unit === undefined ? `${value} B` : `${value / (BYTES[unit.toLowerCase()] ?? 1)} ${unit}`;
};

const SIZE_SUFFIXES =
  'bytes, or a number with one of the suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024)';

export const size: Kind<number> = {
  read: toBytes,
  expected: `a whole number of ${SIZE_SUFFIXES}`,
  placeholder: 'size',
  option: 'Size',
  unit: 'bytes',
  format: formatBytes,
};

export const sizeWithin = (min: number, max: number): Kind<number> => ({
  ...size,
  read: (text) => within(toBytes(text) ?? Number.NaN, min, max),
  expected: `a size from ${formatBytes(min)} to ${formatBytes(max)}: a whole number of ${SIZE_SUFFIXES}`,
});

/** A number of bytes, or a part of the file system of some folder. */
export type SizeOrShare = number | { readonly share: number };

export const sizeOrShare: Kind<SizeOrShare> = {
  read: (text) => {
    const [, percent] = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text.trim()) ?? [];
    if (percent === undefined) return toBytes(text);
    return Number(percent) > 0 && Number(percent) <= 100 ? { share: Number(percent) / 100 } : undefined;
  },
  expected: `a percentage above 0 and up to 100 %, or a whole number of ${SIZE_SUFFIXES}`,
  placeholder: 'size',
  option: 'Size | Share',
  format: (value) =>
    typeof value === 'number' ? formatBytes(value) : `${Number((value.share * 100).toPrecision(12))} %`,
};

/** One of a few words, whatever their case. */
export const choice = <const T extends string>(...words: readonly [T, ...T[]]): Kind<T> => ({
  read: (text) => words.find((word) => word.toLowerCase() === text.trim().toLowerCase()),
  expected: `one of ${words.join(', ')}`,
  placeholder: words.join('|'),
  option: words.map((word) => `'${word}'`).join(' | '),
  format: (value) => value,
});

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'true', 'on', '1'].map((word) => [word, true] as const),
  ...['no', 'false', 'off', '0'].map((word) => [word, false] as const),
]);

/** The words for true and false of Python's ConfigParser. */
export const boolean: Kind<boolean> = {
  read: (text) => WORDS.get(text.trim().toLowerCase()),
  expected: 'yes, true, on, 1, or no, false, off, 0',
  placeholder: 'yes|no',
  option: 'boolean',
  format: (value) => (value ? 'yes' : 'no'),
};

/** Any text; an empty one counts as none. */
export const words = (placeholder: string): Kind<string> => ({
  read: (text) => text.trim(),
  expected: 'a text',
  placeholder,
  option: 'string',
  format: (value) => value,
});

const matching = (text: string, pattern: RegExp): string | undefined =>
  pattern.test(text.trim()) ? text.trim() : undefined;

/**
 * A connection string of MongoDB, or nothing. The driver judges the rest of it.
 */
export const mongodbUrl: Kind<string> = {
  read: (text) => matching(text, /^(mongodb(\+srv)?:\/\/.+)?$/),
  expected: 'mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS]',
  placeholder: 'url',
  option: 'string',
  format: (value) => value,
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const LOGINS = choice('PLAIN', 'AMQPLAIN', 'EXTERNAL');

/** How to log in to a message broker; an empty text is `PLAIN`. */
export const loginMethod: Kind<'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'> = {
  ...LOGINS,
  read: (text) => (text.trim() === '' ? 'PLAIN' : LOGINS.read(text)),
  expected: `${LOGINS.expected}, or nothing`,
  placeholder: 'method',
};

/** A list of any values, as JSON. */
export const jsonArray: Kind<readonly unknown[]> = {
  read: (text) => {
    const value = parseJson(text);
    return Array.isArray(value) ? value : undefined;
  },
  expected: 'a JSON array',
  placeholder: 'json',
  option: 'readonly unknown[]',
  textOf: (value) => (Array.isArray(value) ? JSON.stringify(value) : undefined),
  format: (value) => JSON.stringify(value),
};

/** Values by name, as JSON. */
export const jsonObject: Kind<Readonly<Record<string, unknown>>> = {
  // JSON that begins with a brace is an object.
  read: (text) =>
    text.trim().startsWith('{') ? (parseJson(text) as Readonly<Record<string, unknown>> | undefined) : undefined,
  expected: 'a JSON object',
  placeholder: 'json',
  option: 'Readonly<Record<string, unknown>>',
  textOf: (value) => (Array.isArray(value) ? undefined : JSON.stringify(value)),
  format: (value) => JSON.stringify(value),
};

/** A value of a kind, or nothing. */
export const optional = (kind: Kind<string>): Kind<string> => ({
  ...kind,
  read: (text) => (text.trim() === '' ? '' : kind.read(text)),
  expected: `${kind.expected}, or nothing`,
});

/**
 * A file or folder; a relative one counts from the working directory. None ends with white space:
 * no text of a setting does.
 */
export const path = (placeholder: 'file' | 'folder'): Kind<string> => ({
  read: (text) => {
    const whole = resolve(text.trim());
    return text.trim() === '' || /\s$/.test(whole) ? undefined : whole;
  },
  expected: `the path of a ${placeholder}`,
  placeholder,
  option: 'string',
  format: (value) => value,
});

/** A file that is only read, such as a key. */
export const keyFile: Kind<string> = {
  ...path('file'),
  expected: 'the path of a file, or credential:NAME',
  credential: true,
};

/** A prefix of the paths of URLs, or nothing. As in Pulp, the slash before it may be missing. */
export const urlPrefix: Kind<string> = {
  read: (text) => matching(text, /^(?!\w+:\/\/)[^\s?#]*$/)?.replace(/^(?=[^/])/, '/'),
  expected: 'a path without ? and #, or nothing',
  placeholder: 'prefix',
  option: 'string',
  format: (value) => value,
};

/** Without a slash at the end. */
export const webUrl: Kind<string> = {
  read: (text) =>
    text === '' || /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/i.test(text) ? text.replace(/\/+$/, '') : undefined,
  expected: 'a URL with http or https, without user, ? and #; or nothing',
  placeholder: 'url',
  option: 'string',
  format: (value) => value,
};

/** The prefix has no slash at its end. */
export const bucketUrl: Kind<string> = {
  read: (text) => matching(text.replace(/\/+$/, ''), /^(s3:\/\/[a-z0-9][a-z0-9._-]{1,62}(\/[\w.~-]+)*)?$/),
  expected: 's3://BUCKET or s3://BUCKET/PREFIX with letters, digits and . _ - ~ /; or nothing',
  placeholder: 'url',
  option: 'string',
  format: (value) => value,
};

const itemsOf = (text: string): readonly string[] =>
  text.trim() === '' ? [] : text.split(',').map((item) => item.trim());

/** How programs write comma-separated lists. An item with a comma would become two. */
export const ITEMS: Pick<Kind<unknown>, 'option' | 'textOf'> = {
  option: 'string | readonly string[]',
  textOf: (value) => (Array.isArray(value) && !value.some((item) => /,|^$/.test(item)) ? value.join(',') : undefined),
};

/** Comma-separated words; an empty text is an empty list. */
export const list = (placeholder: string): Kind<readonly string[]> => ({
  read: (text) => {
    const items = itemsOf(text);
    return items.every((item) => /^\S+$/.test(item)) ? items : undefined;
  },
  expected: 'a comma-separated list, its items neither empty nor with white space within',
  placeholder,
  ...ITEMS,
  format: (value) => value.join(', '),
});

/** Comma-separated absolute paths of folders. */
export const folders: Kind<readonly string[]> = {
  ...list('folders'),
  read: (text) => {
    const items = itemsOf(text);
    return items.every(isAbsolute) ? items.map((item) => resolve(item)) : undefined;
  },
  expected: 'a comma-separated list of absolute paths of folders',
};

/** Comma-separated names of files. */
export const fileNames: Kind<readonly string[]> = {
  ...list('names'),
  read: (text) => {
    const items = itemsOf(text);
    return items.every((item) => /^(?!\.{1,2}$)[^\s/]+$/.test(item)) ? items : undefined;
  },
  expected: 'a comma-separated list of file names without slashes and white space',
};

/** Comma-separated host names, in lower case. */
export const hostNames: Kind<readonly string[]> = {
  ...list('names'),
  read: (text) => {
    const items = itemsOf(text.toLowerCase());
    return items.every((item) => /^[a-z0-9_]([a-z0-9_.-]*)$/.test(item)) ? items : undefined;
  },
  expected: 'a comma-separated list of host names without ports',
};

/** Without a zone: it belongs to one machine. Node’s own pattern takes milliseconds to compile, at each start. */
const isPlainIPv6 = (address: string): boolean => /^[\da-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]`);

const isNetwork = (item: string): boolean => {
  const [address = '', prefix = '0', ...more] = item.split('/');
  const bits = isIPv4(address) ? 32 : isPlainIPv6(address) ? 128 : -1;
  return more.length === 0 && /^(0|[1-9]\d*)$/.test(prefix) && Number(prefix) <= bits;
};

/** Comma-separated IP addresses and networks. */
export const networks: Kind<readonly string[]> = {
  ...list('networks'),
  read: (text) => {
    const items = itemsOf(text);
    return items.every(isNetwork) ? items : undefined;
  },
  expected: 'a comma-separated list of IP addresses and of networks such as 192.0.2.0/24 or 2001:db8::/32',
};

/** A host as URLs spell it: lower case, IDNA as ASCII, IPv6 in brackets. */
const toHost = (text: string): string | undefined =>
  /^(\[[^\s/?#@\\*[\]]+\]|[^\s/?#@\\*:[\]]+)$/.test(text) ? URL.parse(`https://${text}`)?.hostname : undefined;

/** Comma-separated IP addresses, networks and names of hosts. */
export const places: Kind<readonly string[]> = {
  ...list('places'),
  read: (text) => {
    const items = itemsOf(text).map((item) => (isNetwork(item) ? item : toHost(item)?.replace(/^\[|\]$/g, '')));
    return items.every((item) => item !== undefined) ? items : undefined;
  },
  expected: 'a comma-separated list of IP addresses, of networks such as 192.0.2.0/24, and of names of hosts',
};

/** Security levels of OpenSSL, by host. */
export const tlsLevels: Kind<Readonly<Record<string, 0 | 1 | 2>>> = {
  read: (text) => {
    const levels = new Map<string, 0 | 1 | 2>();
    for (const item of itemsOf(text)) {
      const [, written = '', digit] = /^([^=]+)=([012])$/.exec(item) ?? [];
      const host = toHost(written);
      if (host === undefined || levels.has(host)) return undefined;
      levels.set(host, Number(digit) as 0 | 1 | 2);
    }
    return Object.fromEntries(levels);
  },
  expected: 'a comma-separated list of HOST=LEVEL: each host once, in full and without a port, its level 2, 1 or 0',
  placeholder: 'levels',
  option: 'string | Readonly<Record<string, 0 | 1 | 2>>',
  textOf: (value) =>
    Array.isArray(value)
      ? undefined
      : Object.entries(value)
          .map((item) => item.join('='))
          .join(','),
  format: (levels) =>
    Object.entries(levels)
      .map((item) => item.join('='))
      .join(', '),
};

/** Times of the day, in minutes since midnight. One whose end is before its start goes over midnight. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

const toMinutes = (hours = '', minutes = ''): number => Number(hours) * 60 + Number(minutes);

const toHours = (text: string): Hours | undefined => {
  const [, ...numbers] = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (numbers.length === 0 || [numbers[1], numbers[3]].some((minutes) => Number(minutes) > 59)) return undefined;
  const [from, to] = [toMinutes(numbers[0], numbers[1]), toMinutes(numbers[2], numbers[3])];
  // A day that ends where it begins could be all of it, or nothing.
  return from < DAY_MINUTES && to <= DAY_MINUTES && from !== to ? { from, to } : undefined;
};

const DAY_MINUTES = 24 * 60;

const formatMinutes = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

/** Comma-separated hours of the day; none means all day. */
export const hours: Kind<readonly Hours[]> = {
  read: (text) => {
    const all = itemsOf(text).map(toHours);
    return all.every((one) => one !== undefined) ? all : undefined;
  },
  expected: 'a comma-separated list of hours of the day such as 01:00-05:00 or 22:30-06:00, or nothing',
  placeholder: 'hours',
  ...ITEMS,
  format: (value) => value.map(({ from, to }) => `${formatMinutes(from)}-${formatMinutes(to)}`).join(', '),
};
