import { z } from 'zod';
import { StreamError } from '../../pipelines/model/errors.ts';
import { maskUrl } from '../lib/mask.ts';

const positive = z.number().positive();

/** The keys of an importer's configuration, as in Pulp. Certificates and keys are PEM texts. */
const schema = z.object({
  feed: z.string().optional(),
  ssl_ca_cert: z.string().optional(),
  ssl_client_cert: z.string().optional(),
  ssl_client_key: z.string().optional(),
  ssl_validation: z.boolean().optional(),
  proxy_host: z.string().optional(),
  proxy_port: z.number().int().min(1).max(65535).optional(),
  proxy_username: z.string().optional(),
  proxy_password: z.string().optional(),
  basic_auth_username: z.string().optional(),
  basic_auth_password: z.string().optional(),
  max_downloads: positive.int().optional(),
  /** Bytes per second. */
  max_speed: positive.optional(),
  /** Seconds. */
  connect_timeout: positive.optional(),
  /** Seconds. */
  read_timeout: positive.optional(),
});

export type ImporterConfig = z.infer<typeof schema>;

/**
 * Parses a stored configuration. Throws SOURCE_BROKEN with the importer and the invalid key.
 * Unknown keys are dropped.
 */
export const parseImporterConfig = (importerId: string, value: unknown): ImporterConfig => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${importerId}: ${faults.join('; ')}`);
};

const PAIRS = [
  ['ssl_client_cert', 'ssl_client_key'],
  ['proxy_host', 'proxy_port'],
  ['proxy_username', 'proxy_password'],
  ['basic_auth_username', 'basic_auth_password'],
] as const;

/** The pairs with one half missing. Pulp ignores these; an operator has forgotten a half. */
export const halfGiven = (config: ImporterConfig): { given: string; missing: string }[] =>
  PAIRS.flatMap((pair) => {
    const given = pair.find((key) => config[key] !== undefined);
    const missing = pair.find((key) => config[key] === undefined);
    return given && missing ? [{ given, missing }] : [];
  });

const HIDDEN = '********';
const SECRET: readonly string[] = ['ssl_client_key', 'proxy_password', 'basic_auth_password'];

/** Their URLs may have a password in them. */
const URLS: readonly string[] = ['feed', 'proxy_host'];

/** A certificate's file often holds its key as well, and a key may be given in its place. */
const PRIVATE_KEYS = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs;

/** The configuration for display: private keys and passwords are hidden. */
export const maskSecrets = (config: ImporterConfig): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (SECRET.includes(key)) return [key, HIDDEN];
      if (typeof value !== 'string') return [key, value];
      return [key, URLS.includes(key) ? maskUrl(value) : value.replace(PRIVATE_KEYS, HIDDEN)];
    }),
  );
