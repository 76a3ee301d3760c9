import { messageOf } from '../../../lib/thrown.ts';

/** Where a broker is, and who we are there. */
export interface BrokerAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
}

/** Names that Celery knows AMQP 0-9-1 by; `amqps` is AMQP within TLS. */
const SCHEMES: readonly string[] = ['amqp:', 'pyamqp:', 'librabbitmq:', 'amqps:'];

/**
 * Reads a broker URL as Celery does: `amqp://user:password@host:port/vhost`, each part percent-encoded, user and password `guest` where
 * they are missing, the vhost `/` where it is empty; several URLs, one to fall back on after the other, are separated by `;`.
 * Throws saying what was wrong and what was expected, without showing passwords.
 */
export const brokerAddresses = (urls: string, forceTls = false): readonly BrokerAddress[] =>
  urls.split(';').map((url) => brokerAddress(url.trim(), forceTls));

const brokerAddress = (text: string, forceTls: boolean): BrokerAddress => {
  const url = URL.parse(text);
  if (!url) throw new Error('expected amqp://user:password@host:port/vhost, found something that is no URL');
  const { protocol, hostname, port, username, password, pathname } = url;
  if (!SCHEMES.includes(protocol))
    throw new Error(
      `expected a URL of ${SCHEMES.map((scheme) => scheme.slice(0, -1)).join(', ')}; found one of ${protocol.slice(0, -1)}`,
    );
  const tls = forceTls || protocol === 'amqps:';
  return {
    tls,
    host: hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(port) || (tls ? 5671 : 5672),
    vhost: decode('vhost', pathname.slice(1)) || '/',
    username: decode('user', username) || 'guest',
    password: decode('password', password) || 'guest',
  };
};

const decode = (part: string, text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new Error(`the ${part} is not percent-encoded properly: ${messageOf(error)}`, { cause: error });
  }
};

/** An address as a log may show it. */
export const describeAddress = ({ host, port, vhost }: BrokerAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}${vhost === '/' ? '' : ` vhost ${vhost}`}`;
