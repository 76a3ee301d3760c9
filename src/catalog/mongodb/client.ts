import { existsSync, readFileSync } from 'node:fs';
import { MongoClient, type MongoClientOptions, ReadPreference } from 'mongodb';
import { messageOf } from '../../lib/thrown.ts';

/** Where Pulp's database is: a connection string, or what server.conf says in `[database]`. An empty text stands for what was not given. */
export interface DatabaseSettings {
  /** Counts instead of all others but the name. */
  readonly url: string;
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
  /** The servers as they may be shown. */
  readonly hosts: string;
}

/** Where Pulp's own client looks for authorities on the systems that Pulp runs on. */
const SYSTEM_AUTHORITIES = '/etc/pki/tls/certs/ca-bundle.crt';

/**
 * A client that is not connected yet. Each step of a question is given up after `timeout` milliseconds. Throws naming what is wrong: a file
 * that cannot be read, a connection string that cannot be understood.
 */
export const makeClient = (settings: DatabaseSettings, timeout: number): Client => {
  const options: MongoClientOptions = {
    appName: 'pulp-streamer',
    serverSelectionTimeoutMS: timeout,
    connectTimeoutMS: timeout,
    socketTimeoutMS: timeout,
    waitQueueTimeoutMS: timeout,
    heartbeatFrequencyMS: 2_000,
    maxPoolSize: 20,
    // A secondary is good enough until there is a primary again; also for the read that finds the primary gone.
    enableOverloadRetargeting: true,
    readPreference: ReadPreference.PRIMARY_PREFERRED,
  };
  const client =
    settings.url === ''
      ? new MongoClient(`mongodb://${settings.seeds.join(',')}/`, { ...options, ...ofServerConf(settings) })
      : fromUrl(settings.url, options);
  const [, inUrl] = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(settings.url) ?? [];
  return {
    client,
    database: inUrl === undefined ? settings.name : decodeURIComponent(inUrl),
    hosts: client.options.hosts.map(String).join(','),
  };
};

const fromUrl = (url: string, options: MongoClientOptions): MongoClient => {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    // The driver's message may quote the whole text, password included.
    const message = messageOf(error);
    const why = message.includes('://') ? 'it cannot be understood' : message;
    throw new Error(
      `mongodb_url: ${why}; expected mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS], special characters percent-encoded`,
    );
  }
};

const ofServerConf = (settings: DatabaseSettings): MongoClientOptions => {
  const { name, seeds, username, password, replicaSet } = settings;
  return {
    ...(username !== '' && password !== '' && { auth: { username, password }, authSource: name }),
    // As Pulp's own client does: without the name of a set, one seed is the server, and not the way to others.
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
    return readFileSync(file);
  } catch (error) {
    throw new Error(`[database] ${key}: ${messageOf(error)}; expected a PEM file`, { cause: error });
  }
};
