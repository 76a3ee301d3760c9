import { resolve } from 'node:path';
import { z } from 'zod';

/** A kind of value: how its text is read, shown, and described to an operator. */
export interface Kind<T> {
  readonly schema: z.ZodType<T, string>;
  /** Completes "expected …". */
  readonly expected: string;
  /** Stands for the value in help texts. */
  readonly placeholder: string;
  /** The unit that operators write and read. */
  readonly unit?: 's' | 'bytes';
  /** The number in that unit. Absent if the value already counts it. */
  inUnit?(value: T): number;
  /** The value as an operator could have written it. */
  format(value: T): string;
}

const text = z.string().trim();

export const integer = (min: number, max: number): Kind<number> => ({
  schema: text.regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max)),
  expected: `a whole number from ${min} to ${max}`,
  placeholder: 'number',
  format: String,
});

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: 60 * SECOND, h: 3600 * SECOND, d: DAY };

const toMilliseconds = (written: string): number => {
  const [, number = '', suffix = ''] = /^([\d.]+)\s*(\w*)$/.exec(written) ?? [];
  // Timers and sockets of Node require whole numbers, and 1.001 * 1000 is not one.
  return Math.round(Number(number) * (DURATIONS[suffix.toLowerCase() || 's'] ?? Number.NaN));
};

const inSeconds = (milliseconds: number): number => milliseconds / SECOND;

const durations = text.regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)?$/i).transform(toMilliseconds);
/** Written in seconds by operators, a number of milliseconds in settings. */
const duration = {
  placeholder: 'duration',
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
  schema: durations.pipe(
    z
      .number()
      .min(min)
      .max(LONGEST_TIMER_DAYS * DAY),
  ),
  expected: `a duration ${min === 0 ? 'from 0' : 'of 1 ms'} to ${LONGEST_TIMER_DAYS} d: ${SUFFIXES}`,
});

/**
 * An age in milliseconds. Caches count ages in whole seconds, and up to 2^31 of them (RFC 9111
 * section 1.2.2).
 */
export const age: Kind<number> = {
  ...duration,
  schema: durations.pipe(
    z
      .number()
      .multipleOf(SECOND)
      .max(2 ** 31 * SECOND),
  ),
  expected: `a duration of whole seconds, at most 2147483648: ${SUFFIXES}`,
};

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

const toBytes = (written: string): number => {
  const [, number = '', suffix = ''] = /^([\d.]+)\s*(\w*)$/.exec(written) ?? [];
  const unit = suffix.toLowerCase().replace(/^([kmgt])b$/, '$1') || 'b';
  return Number(number) * (BYTES[unit] ?? Number.NaN);
};

const formatBytes = (value: number): string => {
  const unit =
    value === 0
      ? undefined
      : ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => value % (BYTES[name.toLowerCase()] ?? 1) === 0);
  return unit === undefined ? `${value} B` : `${value / (BYTES[unit.toLowerCase()] ?? 1)} ${unit}`;
};

const sizes = text.regex(/^\d+(\.\d+)?\s*(b|[kmgt]i?b|[kmgt])?$/i).transform(toBytes);
const SIZE_SUFFIXES =
  'bytes, or a number with one of the suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024)';

export const size: Kind<number> = {
  schema: sizes.pipe(z.number().int()),
  expected: `a whole number of ${SIZE_SUFFIXES}`,
  placeholder: 'size',
  unit: 'bytes',
  format: formatBytes,
};

export const sizeWithin = (min: number, max: number): Kind<number> => ({
  ...size,
  schema: sizes.pipe(z.number().int().min(min).max(max)),
  expected: `a size from ${formatBytes(min)} to ${formatBytes(max)}: a whole number of ${SIZE_SUFFIXES}`,
});

/** One of a few words, whatever their case. */
export const choice = <const T extends string>(...words: readonly [T, ...T[]]): Kind<T> => ({
  schema: text
    .transform((written) => words.find((word) => word.toLowerCase() === written.toLowerCase()) ?? written)
    .pipe(z.enum(words)),
  expected: `one of ${words.join(', ')}`,
  placeholder: words.join('|'),
  format: (value) => value,
});

const WORDS: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  on: true,
  1: true,
  no: false,
  false: false,
  off: false,
  0: false,
};

/** The words for true and false of Python's ConfigParser. */
export const boolean: Kind<boolean> = {
  schema: text.transform((written) => WORDS[written.toLowerCase()]).pipe(z.boolean()),
  expected: 'yes, true, on, 1, or no, false, off, 0',
  placeholder: 'yes|no',
  format: (value) => (value ? 'yes' : 'no'),
};

/** Any text; an empty one counts as none. */
export const words = (placeholder: string): Kind<string> => ({
  schema: text,
  expected: 'a text',
  placeholder,
  format: (value) => value,
});

/**
 * A connection string of MongoDB, or nothing. The driver judges the rest of it.
 */
export const mongodbUrl: Kind<string> = {
  schema: text.regex(/^(mongodb(\+srv)?:\/\/.+)?$/),
  expected: 'mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS]',
  placeholder: 'url',
  format: (value) => value,
};

const parsed = (written: string, context: z.RefinementCtx): unknown => {
  try {
    return JSON.parse(written);
  } catch {
    context.issues.push({ code: 'custom', input: written });
    return z.NEVER;
  }
};

/** How to log in to a message broker; an empty text is `PLAIN`. */
export const loginMethod: Kind<'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'> = {
  schema: text.transform((written) => written.toUpperCase() || 'PLAIN').pipe(z.enum(['PLAIN', 'AMQPLAIN', 'EXTERNAL'])),
  expected: 'one of PLAIN, AMQPLAIN, EXTERNAL, or nothing',
  placeholder: 'method',
  format: (value) => value,
};

/** A list of any values, as JSON. */
export const jsonArray: Kind<readonly unknown[]> = {
  schema: text.transform(parsed).pipe(z.array(z.unknown())),
  expected: 'a JSON array',
  placeholder: 'json',
  format: (value) => JSON.stringify(value),
};

/** Values by name, as JSON. */
export const jsonObject: Kind<Readonly<Record<string, unknown>>> = {
  schema: text.transform(parsed).pipe(z.record(z.string(), z.unknown())),
  expected: 'a JSON object',
  placeholder: 'json',
  format: (value) => JSON.stringify(value),
};

/** A value of a kind, or nothing. */
export const optional = (kind: Kind<string>): Kind<string> => ({
  ...kind,
  schema: z.union([text.pipe(z.literal('')), kind.schema]),
  expected: `${kind.expected}, or nothing`,
});

/**
 * A file or folder; a relative one counts from the working directory. None ends with white space:
 * no text of a setting does.
 */
export const path = (placeholder: 'file' | 'folder'): Kind<string> => ({
  schema: text
    .min(1)
    .transform((written) => resolve(written))
    .pipe(z.string().regex(/\S$/)),
  expected: `the path of a ${placeholder}`,
  placeholder,
  format: (value) => value,
});

/** A prefix of the paths of URLs, or nothing. As in Pulp, the slash before it may be missing. */
export const urlPrefix: Kind<string> = {
  schema: text.regex(/^(?!\w+:\/\/)[^\s?#]*$/).transform((prefix) => prefix.replace(/^(?=[^/])/, '/')),
  expected: 'a path without ? and #, or nothing',
  placeholder: 'prefix',
  format: (value) => value,
};

/** Comma-separated words; an empty text is an empty list. */
export const list = (placeholder: string): Kind<readonly string[]> => ({
  schema: text
    .transform((written) => (written === '' ? [] : written.split(',').map((item) => item.trim())))
    .pipe(z.array(z.string().regex(/^\S+$/))),
  expected: 'a comma-separated list, its items neither empty nor with white space within',
  placeholder,
  format: (value) => value.join(', '),
});

/** Comma-separated IP addresses and networks. */
export const networks: Kind<readonly string[]> = {
  ...list('networks'),
  schema: list('networks').schema.pipe(z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))),
  expected: 'a comma-separated list of IP addresses and of networks such as 192.0.2.0/24 or 2001:db8::/32',
};

/** A host as URLs spell it: lower case, IDNA as ASCII, IPv6 in brackets. */
const hostName = z
  .string()
  .regex(/^[^\s/?#@\\*]+$/)
  .transform((host) => (URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : undefined))
  .pipe(z.custom<URL>((url) => url instanceof URL && url.port === ''))
  .transform(({ hostname }) => hostname);

/** Security levels of OpenSSL, by host. */
export const tlsLevels: Kind<Readonly<Record<string, 0 | 1 | 2>>> = {
  schema: list('levels')
    .schema.pipe(
      z.array(
        z
          .string()
          .regex(/^[^=]+=[012]$/)
          .transform((item) => item.split('='))
          .pipe(
            z.tuple([
              hostName,
              z
                .string()
                .transform(Number)
                .pipe(z.literal([0, 1, 2])),
            ]),
          ),
      ),
    )
    .transform((items) => Object.fromEntries(items)),
  expected: 'a comma-separated list of HOST=LEVEL: each host in full and without a port, its level 2, 1 or 0',
  placeholder: 'levels',
  format: (levels) =>
    Object.entries(levels)
      .map((item) => item.join('='))
      .join(', '),
};
