import type { Access } from '../../../pipelines/model/index.ts';
import { credentialFile, secretText } from '../../lib/credential.ts';
import { readPlainFileSync } from '../../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { BOUNDS } from '../../repositories/bounds.ts';
import { type Keys, readKeys } from './keys.ts';

/** An alternate content source, as its descriptor describes it. */
export interface AlternateSource {
  readonly id: string;
  readonly name: string;
  /** The type of its cataloger. */
  readonly type: string;
  /** `file:`, `http:` or `https:`, with a slash at its end. */
  readonly baseUrl: string;
  /**
   * Folders below the base, each once, as in URLs, with a slash at their end; empty for the base
   * itself. At least one.
   */
  readonly paths: readonly string[];
  /** The lowest number is tried first. */
  readonly priority: number;
  /** Seconds that cataloged units stay valid. */
  readonly expires: number;
  readonly access: Access;
}

/** The usable sources, and the problems of the others: file, line, key and expected value. */
export interface Descriptors {
  readonly sources: readonly AlternateSource[];
  readonly problems: readonly string[];
}

interface Value {
  readonly value: string;
  readonly line: number;
  /** Why the value is unusable, and what was expected. */
  readonly problem?: string;
}
type Section = ReadonlyMap<string, Value>;

/** A parsed INI file. */
export interface DescriptorFile {
  readonly file: string;
  readonly sections: ReadonlyMap<string, Section>;
  readonly problems: readonly string[];
}

/**
 * Reads the sources in descriptor files. Each section is one source; its name is the id. A source
 * that is not enabled is left out silently. `problems` names each source with a mistake and each
 * unreadable file; the other sources stay in use. Unknown keys are tolerated.
 *
 * @param types the types of the known catalogers
 */
export const readDescriptors = (files: readonly DescriptorFile[], types: readonly string[]): Descriptors => {
  const sources = new Map<string, AlternateSource>();
  const problems: string[] = [];
  const places = new Map<string, string>();

  for (const { file, sections, problems: unreadable } of files) {
    problems.push(...unreadable.map((problem) => `${problem}; the file is left out`));
    if (unreadable.length > 0) continue;
    for (const [id, section] of sections) {
      const at = (key?: string) => `${file}:${(section.get(key ?? '') ?? section.values().next().value)?.line ?? 1}`;
      const leaveOut = (key: string, text: string) =>
        problems.push(`${at(key)}: [${id}] ${key}: ${text}; the source is left out`);

      if (/^\s*(no|false|off|0)\s*$/i.test(section.get('enabled')?.value ?? '')) continue;
      const first = places.get(id);
      if (first !== undefined) {
        problems.push(`${at()}: [${id}] is described at ${first} already; expected each source once`);
        continue;
      }
      places.set(id, at());
      const unusable = [...section].filter(([, { problem }]) => problem !== undefined);
      for (const [key, { problem = '' }] of unusable) leaveOut(key, problem);
      if (unusable.length > 0) continue;
      const keys = readKeys(new Map([...section].map(([key, { value }]) => [key, value.trim()])), types);
      if ('faults' in keys) {
        for (const { key, problem } of keys.faults) leaveOut(key, problem);
        continue;
      }
      try {
        sources.set(id, toSource(id, keys));
        for (const word of keys.paths.wrong)
          problems.push(`${at('paths')}: [${id}] paths: ${word} is left out; expected a folder below base_url`);
        for (const [given, missing] of halves(keys))
          problems.push(`${at(given)}: [${id}] ${given} is ignored; expected ${missing} as well`);
      } catch (error) {
        if (!(error instanceof BadFile)) throw error;
        leaveOut(error.key, error.message);
      }
    }
  }
  return { sources: [...sources.values()], problems };
};

/**
 * Keys that count only in pairs, which is Pulp's rule. Half a pair is reported, because it is
 * probably a mistake.
 */
const PAIRS = [
  ['proxy_url', 'proxy_port'],
  ['proxy_username', 'proxy_password'],
  ['basic_auth_username', 'basic_auth_password'],
] as const;

const halves = (keys: Keys): readonly (readonly [given: string, missing: string])[] =>
  PAIRS.flatMap(([a, b]) => {
    if ((keys[a] === undefined) === (keys[b] === undefined)) return [];
    return [keys[a] === undefined ? [b, a] : [a, b]];
  });

const toSource = (id: string, keys: Keys): AlternateSource => ({
  id,
  name: keys.name ?? id,
  type: keys.type,
  baseUrl: keys.base_url,
  paths: keys.paths.folders.length > 0 ? keys.paths.folders : [''],
  priority: keys.priority,
  expires: keys.expires,
  access: {
    ...tls(keys),
    ...(keys.ssl_validation ? {} : { verifyServer: false }),
    ...both(keys.basic_auth_username, passwordOf(keys, 'basic_auth_password'), (username, password) => ({
      basicAuth: { username, password },
    })),
    ...both(keys.proxy_url, keys.proxy_port, (url, port) => ({
      proxy: {
        url: `${url.includes('://') ? '' : 'http://'}${url.replace(/\/+$/, '')}:${port}`,
        ...both(keys.proxy_username, passwordOf(keys, 'proxy_password'), (username, password) => ({
          username,
          password,
        })),
      },
    })),
    ...(keys.headers.length > 0 && { headers: keys.headers }),
    maxConcurrent: keys.max_concurrent,
    ...(keys.max_speed !== undefined && { maxSpeed: keys.max_speed }),
  },
});

const both = <A, B, R extends object>(
  a: A | undefined,
  b: B | undefined,
  make: (a: A, b: B) => R,
): R | Record<string, never> => (a === undefined || b === undefined ? {} : make(a, b));

const tls = (keys: Keys): Pick<Access, 'ca' | 'clientCert' | 'clientKey'> => {
  const ca = readPem('ssl_ca_cert', keys.ssl_ca_cert, 'CERTIFICATE');
  const clientCert = readPem('ssl_client_cert', keys.ssl_client_cert, 'CERTIFICATE');
  const ownKey = readPem('ssl_client_key', keys.ssl_client_key, 'PRIVATE KEY');
  // Entitlement certificates often come with their key in the same file.
  const clientKey = ownKey ?? (clientCert?.includes('PRIVATE KEY-----') ? clientCert : undefined);
  if (clientCert !== undefined && clientKey === undefined)
    throw new BadFile('ssl_client_cert', 'has no private key; expected ssl_client_key as well');
  if (clientCert === undefined && ownKey !== undefined)
    throw new BadFile('ssl_client_key', 'has no certificate; expected ssl_client_cert as well');
  return { ...(ca !== undefined && { ca }), ...(clientCert !== undefined && { clientCert, clientKey }) };
};

/** The password as it is written, or in the credential that is named in its place. */
const passwordOf = (keys: Keys, key: 'basic_auth_password' | 'proxy_password'): string | undefined => {
  const written = keys[key];
  if (written === undefined) return undefined;
  try {
    return secretText(written, process.env).trim();
  } catch (error) {
    throw new BadFile(key, `cannot be read (${codeOf(error) || messageOf(error)}); expected credential:NAME`);
  }
};

class BadFile extends Error {
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

const readPem = (key: string, path: string | undefined, what: string): string | undefined => {
  if (path === undefined) return undefined;
  try {
    const text = readPlainFileSync(credentialFile(path, process.env), BOUNDS.text);
    if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return text;
  } catch (error) {
    throw new BadFile(key, `${path} cannot be read (${codeOf(error) || messageOf(error)}); expected a PEM file`);
  }
  throw new BadFile(key, `${path} contains no PEM ${what}; expected one`);
};
