import type { KeyObject } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { keyOf } from '../config/schema.ts';
import { readPrivateKey, readPublicKey } from '../http/rsa-key.ts';
import { signUrl, type Verdict, verifyUrl } from '../http/signed-url.ts';
import { canonicalAddress } from '../lib/networks.ts';
import { messageOf } from '../lib/thrown.ts';
import { asJson, oneLine } from './one-line.ts';
import { settingsOf, withSettings } from './settings.ts';

interface Options {
  readonly key?: string;
  readonly remoteIp?: string;
}

/** Validity of Pulp's redirects, in seconds. */
const EXPIRES = 90;
/** The last second that has a date (ECMA-262 section 21.4.1.1). */
const LAST_DATE = 8.64e12;

const now = (): number => Math.floor(Date.now() / 1000);

const toSeconds = (text: string): number => {
  const seconds = Number(text);
  if (!/^[1-9]\d*$/.test(text) || now() + seconds > LAST_DATE)
    throw new InvalidArgumentError('expected a whole number of seconds, at least 1');
  return seconds;
};

const toAddress = (text: string): string => {
  const address = canonicalAddress(text);
  if (address === undefined) throw new InvalidArgumentError('expected an IPv4 or IPv6 address');
  return address;
};

/** The key in the file that the flag names, otherwise a setting. */
const keyFor = (command: Command, setting: 'rsaKey' | 'rsaPub', read: (file: string) => KeyObject): KeyObject => {
  const { key } = command.opts<Options>();
  const file = key ?? settingsOf(command).settings[setting];
  const place = key === undefined ? keyOf(setting) : 'flag --key';
  try {
    return read(file);
  } catch (error) {
    throw new ConfigError([`${place}: ${messageOf(error)}`]);
  }
};

const dateOf = (seconds: number): string =>
  Math.abs(seconds) > LAST_DATE ? `second ${seconds}` : new Date(seconds * 1000).toISOString();

const say = (verdict: Verdict): string => {
  if (!verdict.valid) return `not valid: ${verdict.reason}`;
  const { expiration, extensions } = verdict.policy;
  const client = typeof extensions.remote_ip === 'string' ? `for ${extensions.remote_ip} only` : 'for any client';
  return `valid until ${dateOf(expiration)}, ${client}`;
};

/** `sign-url`: makes signed URLs as Pulp does, to set up a proxy. */
export const addSignUrl = (command: Command): void => {
  withSettings(
    command
      .option('--key <file>', 'PEM file of the private key (default: setting rsa_key)')
      .option('--expires <seconds>', 'validity of the signature', toSeconds, EXPIRES)
      .option('--remote-ip <ip>', 'address of the only client that may use it (default: any client)', toAddress),
    [],
  ).action((url: string, { expires, remoteIp }: Options & { expires: number }, command: Command) => {
    const key = keyFor(command, 'rsaKey', readPrivateKey);
    process.stdout.write(`${signUrl(url, { key, expiration: now() + expires, remoteIp })}\n`);
  });
};

/** `verify-url`: checks signed URLs as Pulp does, to find out why a proxy refuses one. */
export const addVerifyUrl = (command: Command): void => {
  withSettings(
    command
      .option('--key <file>', 'PEM file of the public key (default: setting rsa_pub)')
      .option('--remote-ip <ip>', 'address of the client that requests it', toAddress)
      .option('--json', 'print JSON'),
    [],
  ).action((url: string, { remoteIp = '', json }: Options & { json?: boolean }, command: Command) => {
    const key = keyFor(command, 'rsaPub', readPublicKey);
    const verdict = verifyUrl(url, { key, remoteIp, now: now() });
    process.stdout.write(`${json ? asJson(verdict, 2) : oneLine(say(verdict))}\n`);
    if (!verdict.valid) process.exitCode = 1;
  });
};
