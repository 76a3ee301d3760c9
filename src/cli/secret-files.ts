import { type Command, Option } from 'commander';
import { messageOf } from '../lib/thrown.ts';
import { readTextFile } from './catalog-context.ts';
import { type Headers, toHeaders, toQuery } from './feed-fields.ts';

/** Secrets in files, since every user of the machine sees the arguments of a command. */
interface SecretFiles {
  readonly passwordFile?: string;
  readonly proxyPasswordFile?: string;
  readonly queryTokenFile?: string;
  readonly headerFile?: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

/** The secrets of an importer's options. */
export interface Secrets {
  readonly password?: string;
  readonly proxyPassword?: string;
  readonly queryToken?: string;
  readonly header?: Headers;
}

export type SecretOptions = Secrets & SecretFiles;

const FILE = 'a file, - (standard input) or credential:NAME (of systemd)';

/** Adds the options that name files of secrets. */
export const addSecretFiles = (command: Command): Command =>
  command
    .addOption(new Option('--password-file <file>', `the password in ${FILE}`).conflicts('password'))
    .addOption(new Option('--proxy-password-file <file>', `proxy: the password in ${FILE}`).conflicts('proxyPassword'))
    .addOption(new Option('--query-token-file <file>', `the text of --query-token in ${FILE}`).conflicts('queryToken'))
    .option('--header-file <file>', `header fields as of --header, one a line, in ${FILE}`);

/** The secrets, those in files included. Throws if a file cannot be read or has something else. */
export const readSecrets = (options: SecretOptions): Secrets => {
  const { passwordFile, proxyPasswordFile, queryTokenFile, headerFile, ca, clientCert, clientKey } = options;
  const files = [passwordFile, proxyPasswordFile, queryTokenFile, headerFile, ca, clientCert, clientKey];
  if (files.filter((file) => file === '-').length > 1)
    throw new Error('standard input has one secret: give - only once');
  const lines = (option: string, file: string): readonly string[] => readTextFile(option, file).split(/\r?\n/);
  const only = (option: string, file: string | undefined): string | undefined => {
    if (file === undefined) return undefined;
    const [line = '', ...rest] = lines(option, file);
    if (line === '' || rest.some((more) => more !== '')) throw new Error(`${option} ${file}: expected one line`);
    return line;
  };
  const parsed = <T>(option: string, file: string, parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      // Commander would take it for an error that it has reported.
      throw new Error(`${option} ${file}: ${messageOf(error)}`);
    }
  };
  const token = only('--query-token-file', queryTokenFile);
  const fields = headerFile === undefined ? [] : lines('--header-file', headerFile).filter((line) => line !== '');
  const header = fields.reduce<Headers | undefined>(
    (before, line) => parsed('--header-file', `${headerFile}`, () => toHeaders(line, before)),
    options.header,
  );
  return {
    password: only('--password-file', passwordFile) ?? options.password,
    proxyPassword: only('--proxy-password-file', proxyPasswordFile) ?? options.proxyPassword,
    queryToken:
      token === undefined
        ? options.queryToken
        : parsed('--query-token-file', `${queryTokenFile}`, () => toQuery(token)),
    header,
  };
};
