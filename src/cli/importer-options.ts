import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { withoutDots } from '../../pipelines/model/spelling.ts';
import { clientKeyOf, halfGiven, type ImporterConfig } from '../catalog/importer-config.ts';
import { messageOf } from '../lib/thrown.ts';
import { readTextFile } from './catalog-context.ts';
import { toHeaders, toQuery } from './feed-fields.ts';
import { addSecretFiles, readSecrets, type SecretOptions } from './secret-files.ts';

/** The options as commander hands them over. */
export interface ImporterOptions extends SecretOptions {
  readonly verify: boolean;
  readonly username?: string;
  readonly proxyHost?: string;
  readonly proxyPort?: number;
  readonly proxyUsername?: string;
  readonly feedMaxDownloads?: number;
  readonly feedMaxSpeed?: number;
  readonly feedConnectTimeout?: number;
  readonly feedReadTimeout?: number;
}

/** No terminal shows these as they are. */
const CONTROL = /\p{Cc}/u;

export const toPath = (text: string): string => {
  if (!text.startsWith('/')) throw new InvalidArgumentError('expected a path that begins with /.');
  if (CONTROL.test(text)) throw new InvalidArgumentError('expected a path without control characters.');
  return withoutDots(text);
};

export const toWhole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
};

const toPositiveWhole = (text: string): number => {
  const value = toWhole(text);
  if (value === 0) throw new InvalidArgumentError('expected a number above 0.');
  return value;
};

const toPort = (text: string): number => {
  const value = toPositiveWhole(text);
  if (value > 65535) throw new InvalidArgumentError('expected a port, 1 to 65535.');
  return value;
};

const toPositive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number above 0.');
  return value;
};

/** Adds the options for credentials and limits of a feed. */
export const addImporterOptions = (command: Command): Command =>
  addSecretFiles(command)
    .option(
      '--ca <file>',
      'PEM file of the authorities that may sign the server’s certificate, instead of the system’s',
    )
    .option('--client-cert <file>', 'PEM file of the client certificate; it may have the private key as well')
    .option('--client-key <file>', 'PEM file of the client certificate’s private key')
    .option('--no-verify', 'accept any server certificate')
    .option('--username <name>', 'user name for basic authentication')
    .option(
      '--password <password>',
      'password for basic authentication; other users see arguments, so better --password-file',
    )
    .option('--query-token <token>', 'text to add to the query of every URL at the feed, such as token=…', toQuery)
    .option('--header <field>', 'header field NAME: VALUE of every request to the feed; can be repeated', toHeaders)
    .option('--proxy-host <host>', 'proxy: its host name or URL, without the port')
    .option('--proxy-port <port>', 'proxy: its port', toPort)
    .option('--proxy-username <name>', 'proxy: user name')
    .option('--proxy-password <password>', 'proxy: password')
    .option('--feed-max-downloads <number>', 'concurrent downloads', toPositiveWhole)
    .option('--feed-max-speed <bytes>', 'bytes per second', toPositive)
    .option('--feed-connect-timeout <seconds>', 'seconds within which a connection must be made', toPositive)
    .option('--feed-read-timeout <seconds>', 'seconds that the feed may send nothing', toPositive);

const OPTION_OF: Readonly<Record<string, string>> = {
  ssl_client_cert: '--client-cert',
  ssl_client_key: '--client-key',
  proxy_host: '--proxy-host',
  proxy_port: '--proxy-port',
  proxy_username: '--proxy-username',
  proxy_password: '--proxy-password',
  basic_auth_username: '--username',
  basic_auth_password: '--password',
};

const attempt = <T>(what: string, make: () => T): T => {
  try {
    return make();
  } catch (error) {
    throw new Error(`${what} (${messageOf(error)})`, { cause: error });
  }
};

const readCertificate = (option: string, file: string): { pem: string; certificate: X509Certificate } => {
  const pem = readTextFile(option, file);
  return { pem, certificate: attempt(`${option} ${file}: expected a PEM certificate`, () => new X509Certificate(pem)) };
};

/**
 * Reads certificate and key, and makes sure that they belong together: otherwise only a failed
 * handshake would be reported.
 */
const readIdentity = ({
  clientCert,
  clientKey,
}: ImporterOptions): Pick<ImporterConfig, 'ssl_client_cert' | 'ssl_client_key'> => {
  const cert = clientCert === undefined ? undefined : readCertificate('--client-cert', clientCert);
  const key = clientKey === undefined ? undefined : readTextFile('--client-key', clientKey);
  const given = { ...(cert && { ssl_client_cert: cert.pem }), ...(key !== undefined && { ssl_client_key: key }) };
  const pem = clientKeyOf(given);
  if (pem !== undefined) {
    const from = clientKey === undefined ? `--client-cert ${clientCert}` : `--client-key ${clientKey}`;
    const parsed = attempt(`${from}: expected a PEM private key without a passphrase`, () => createPrivateKey(pem));
    if (cert && !cert.certificate.checkPrivateKey(parsed)) {
      throw new Error(`${from} is not the key of --client-cert ${clientCert}`);
    }
  }
  return given;
};

/**
 * An importer's configuration from its options; throws if a file is invalid, or if half of a pair
 * is missing.
 */
export const toImporterConfig = (options: ImporterOptions & { readonly feed?: string }): ImporterConfig => {
  const { password, proxyPassword, queryToken, header } = readSecrets(options);
  const given: ImporterConfig = {
    feed: options.feed,
    ssl_ca_cert: options.ca === undefined ? undefined : readCertificate('--ca', options.ca).pem,
    ...readIdentity(options),
    ssl_validation: options.verify ? undefined : false,
    proxy_host: options.proxyHost,
    proxy_port: options.proxyPort,
    proxy_username: options.proxyUsername,
    proxy_password: proxyPassword,
    basic_auth_username: options.username,
    basic_auth_password: password,
    query_auth_token: queryToken,
    headers: header && Object.fromEntries(header),
    max_downloads: options.feedMaxDownloads,
    max_speed: options.feedMaxSpeed,
    connect_timeout: options.feedConnectTimeout,
    read_timeout: options.feedReadTimeout,
  };
  const [half] = halfGiven(given);
  if (half) throw new Error(`${OPTION_OF[half.given]} requires ${OPTION_OF[half.missing]}`);
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};
