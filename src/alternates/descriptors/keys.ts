import { z } from 'zod';
import { parseUrl } from '../../lib/url.ts';

/** Parses a text, or reports what was expected. */
const reading = <T>(expected: string, read: (text: string) => T | undefined) =>
  z.string({ error: `is missing; expected ${expected}` }).transform((text, context): T => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });

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

/** The keys of a descriptor and their texts; other keys are tolerated. */
export const descriptorKeys = (types: readonly string[]) =>
  z.object({
    enabled: truth,
    type: reading(`one of ${types.join(', ')}`, (text) => types.find((type) => type === text)),
    base_url: baseUrl,
    name: some.optional(),
    priority: whole(-1e9, 1e9).default(0),
    expires: lifetime.default(86_400),
    paths: paths.default({ folders: [], wrong: [] }),
    max_concurrent: whole(1, 65_535).default(2),
    max_speed: speed.optional(),
    ssl_ca_cert: some.optional(),
    ssl_client_cert: some.optional(),
    ssl_client_key: some.optional(),
    ssl_validation: truth.default(true),
    proxy_url: matching(
      'a host, or http(s)://HOST, without its port',
      /^(https?:\/\/)?(\[[\da-f:.]+\]|[^\s/:@[\]]+)\/?$/i,
    ).optional(),
    proxy_port: whole(1, 65_535).optional(),
    proxy_username: some.optional(),
    proxy_password: some.optional(),
    basic_auth_username: some.optional(),
    basic_auth_password: some.optional(),
    headers: headers.default([]),
  });
