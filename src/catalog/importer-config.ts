import { StreamError } from '../../pipelines/model/errors.ts';
import { maskUrl } from '../lib/mask.ts';
import { isRecord } from '../lib/record.ts';

interface Rule<T> {
  readonly expected: string;
  accepts(value: unknown): value is T;
}

const rule = <T>(expected: string, accepts: (value: unknown) => value is T): Rule<T> => ({ expected, accepts });

const text = rule('a text', (value) => typeof value === 'string');
const truth = rule('true or false', (value) => typeof value === 'boolean');
const above0 = rule('a number above 0', (value): value is number => Number.isFinite(value) && Number(value) > 0);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
const whole = rule('a whole number above 0', isWhole);
const port = rule('a whole number from 1 to 65535', (value): value is number => isWhole(value) && value <= 65_535);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
const texts = rule(
  'names with texts',
  (value): value is Readonly<Record<string, string>> => isRecord(value) && isTexts(Object.values(value)),
);
const lists = rule(
  'names with lists of texts',
  (value): value is Readonly<Record<string, readonly string[]>> =>
    isRecord(value) && Object.values(value).every(isTexts),
);

/** The keys of an importer's configuration, as in Pulp. Certificates and keys are PEM texts. */
const RULES = {
  feed: text,
  ssl_ca_cert: text,
  ssl_client_cert: text,
  ssl_client_key: text,
  ssl_validation: truth,
  proxy_host: text,
  proxy_port: port,
  proxy_username: text,
  proxy_password: text,
  basic_auth_username: text,
  basic_auth_password: text,
  /** Added to the query of every URL at the feed. */
  query_auth_token: text,
  /** Header fields of every request to the feed. */
  headers: texts,
  /** Base URLs with the same files, best first, by the URL of the list that names them. */
  mirrors: lists,
  max_downloads: whole,
  /** Bytes per second. */
  max_speed: above0,
  /** Seconds. */
  connect_timeout: above0,
  /** Seconds. */
  read_timeout: above0,
} as const satisfies Readonly<Record<string, Rule<unknown>>>;

type Rules = typeof RULES;
export type ImporterConfig = { [Key in keyof Rules]?: Rules[Key] extends Rule<infer Value> ? Value : never };

/**
 * Parses a stored configuration. Throws SOURCE_BROKEN with the importer and the invalid key.
 * Unknown keys are dropped.
 */
export const parseImporterConfig = (importerId: string, stored: unknown): ImporterConfig => {
  const fail = (faults: readonly string[]): never => {
    throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${importerId}: ${faults.join('; ')}`);
  };
  if (!isRecord(stored)) return fail(['expected an object']);
  const given = Object.entries<Rule<unknown>>(RULES).filter(([key]) => stored[key] !== undefined);
  const faults = given.filter(([key, { accepts }]) => !accepts(stored[key]));
  if (faults.length > 0) fail(faults.map(([key, { expected }]) => `${key}: expected ${expected}`));
  return Object.fromEntries(given.map(([key]) => [key, stored[key]]));
};

const PAIRS = [
  ['ssl_client_cert', 'ssl_client_key'],
  ['proxy_host', 'proxy_port'],
  ['proxy_username', 'proxy_password'],
  ['basic_auth_username', 'basic_auth_password'],
] as const;

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----/s;

/** The private key of the client certificate: its own text, or a part of the certificate's. */
export const clientKeyOf = ({ ssl_client_cert: cert, ssl_client_key: key }: ImporterConfig): string | undefined =>
  key ?? (cert === undefined ? undefined : PRIVATE_KEY.exec(cert)?.[0]);

/** The pairs with one half missing. Pulp ignores these; an operator has forgotten a half. */
export const halfGiven = (given: ImporterConfig): { given: string; missing: string }[] => {
  const key = clientKeyOf(given);
  const config = { ...given, ...(key !== undefined && { ssl_client_key: key }) };
  return PAIRS.flatMap((pair) => {
    const given = pair.find((key) => config[key] !== undefined);
    const missing = pair.find((key) => config[key] === undefined);
    return given && missing ? [{ given, missing }] : [];
  });
};

const HIDDEN = '********';
const SECRET: readonly string[] = ['ssl_client_key', 'proxy_password', 'basic_auth_password', 'query_auth_token'];

/** Their URLs may have a password in them. */
const URLS: readonly string[] = ['feed', 'proxy_host'];

/** A certificate's file often holds its key as well, and a key may be given in its place. */
const PRIVATE_KEYS = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs;

const maskedMirrors = (mirrors: ImporterConfig['mirrors'] = {}): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(mirrors).map(([list, bases]) => [maskUrl(list), bases.map(maskUrl)]));

/** The configuration for display: private keys and passwords are hidden. */
export const maskSecrets = (config: ImporterConfig): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (SECRET.includes(key)) return [key, HIDDEN];
      if (key === 'headers') return [key, Object.fromEntries(Object.keys(value).map((name) => [name, HIDDEN]))];
      if (key === 'mirrors') return [key, maskedMirrors(config.mirrors)];
      if (typeof value !== 'string') return [key, value];
      return [key, URLS.includes(key) ? maskUrl(value) : value.replace(PRIVATE_KEYS, HIDDEN)];
    }),
  );
