import { existsSync } from 'node:fs';
import { MongoClient, type MongoClientOptions, ReadPreference } from 'mongodb';
import { readPlainBytesSync } from '../../lib/read-plain-file.ts';
import { messageOf } from '../../lib/thrown.ts';

/**
 * The address of Pulp's database: a connection string, or the `[database]` section of server.conf.
 * An empty text means not set.
 */
export interface DatabaseSettings {
  /** Takes precedence over all others except the name. */
  readonly url: string;
  /** The setting that has the URL, for messages. Default: `mongodb_url`. */
  readonly urlSetting?: string;
  readonly name: string;
  /** `HOST:PORT` each. */
  readonly seeds: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly replicaSet: string;
  readonly ssl: boolean;
  readonly sslKeyfile: string;
  readonly sslCertfile: string;
  readonly verifySsl: boolean;
  readonly caPath: string;
}

export interface Client {
  readonly client: MongoClient;
  readonly database: string;
  /** The servers, without credentials, for logs. */
  readonly hosts: string;
  /** Whether nobody else on the network sees what it carries, and only those with a password get it. */
  readonly isPrivate: boolean;
}

/** Milliseconds between two looks at a server. */
export const HEARTBEAT = 2_000;

/** The file in which Pulp's own client looks for authorities, on the systems that Pulp supports. */
const SYSTEM_AUTHORITIES = '/etc/pki/tls/certs/ca-bundle.crt';

/**
 * Creates a client without connecting it. Each step of a query is abandoned after `timeout`
 * milliseconds. Throws an error that names an unreadable file or an invalid connection string.
 */
export const makeClient = (settings: DatabaseSettings, timeout: number): Client => {
  const options: MongoClientOptions = {
    appName: 'pulp-streamer',
    serverSelectionTimeoutMS: timeout,
    connectTimeoutMS: timeout,
    socketTimeoutMS: timeout,
    waitQueueTimeoutMS: timeout,
    heartbeatFrequencyMS: HEARTBEAT,
    maxPoolSize: 20,
    // A secondary may answer until a primary is available, also for the read that detects the loss
    // of the primary.
    enableOverloadRetargeting: true,
    readPreference: ReadPreference.PRIMARY_PREFERRED,
  };
  const client =
    settings.url === ''
      ? new MongoClient(`mongodb://${settings.seeds.join(',')}/`, { ...options, ...ofServerConf(settings) })
      : fromUrl(settings, options);
  const [, inUrl] = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(settings.url) ?? [];
  return {
    client,
    database: inUrl === undefined ? settings.name : decodeURIComponent(inUrl),
    hosts: client.options.hosts.map(String).join(','),
    isPrivate: isPrivate(client),
  };
};

const isPrivate = ({ options: { hosts, tls, credentials } }: MongoClient): boolean =>
  (tls && credentials !== undefined) ||
  (hosts.length > 0 &&
    hosts.every((one) => /^(localhost|127\.\d+\.\d+\.\d+|::1|\/.*)$/.test(one.host ?? one.socketPath ?? '')));

const fromUrl = ({ url, urlSetting = 'mongodb_url' }: DatabaseSettings, options: MongoClientOptions): MongoClient => {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    // The driver's message may contain the whole text, including the password.
    const message = messageOf(error);
    const why = message.includes('://') ? 'invalid connection string' : message;
    throw new Error(
      `${urlSetting}: ${why}; expected mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS], special characters percent-encoded`,
    );
  }
};

const ofServerConf = (settings: DatabaseSettings): MongoClientOptions => {
  const { name, seeds, username, password, replicaSet } = settings;
  return {
    ...(username !== '' && password !== '' && { auth: { username, password }, authSource: name }),
    // As in Pulp's own client: without the name of a set, a single seed is the server itself and
    // not a way to others.
    ...(replicaSet === '' ? { directConnection: seeds.length === 1 } : { replicaSet }),
    ...(settings.ssl && { tls: true, ...tlsOptions(settings) }),
  };
};

const tlsOptions = ({ sslKeyfile, sslCertfile, verifySsl, caPath }: DatabaseSettings): MongoClientOptions => {
  const authorities = caPath || (existsSync(SYSTEM_AUTHORITIES) ? SYSTEM_AUTHORITIES : '');
  return {
    ...(authorities !== '' && { ca: readPem('ca_path', authorities) }),
    ...(sslCertfile !== '' && {
      cert: readPem('ssl_certfile', sslCertfile),
      key: sslKeyfile === '' ? readPem('ssl_certfile', sslCertfile) : readPem('ssl_keyfile', sslKeyfile),
    }),
    ...(!verifySsl && { tlsAllowInvalidCertificates: true, tlsAllowInvalidHostnames: true }),
  };
};

const readPem = (key: string, file: string): Buffer => {
  try {
    return readPlainBytesSync(file);
  } catch (error) {
    throw new Error(`[database] ${key}: ${messageOf(error)}; expected a PEM file`, { cause: error });
  }
};
