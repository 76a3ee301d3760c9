import { messageOf } from '../../../lib/thrown.ts';

/** A broker's address and login. */
export interface BrokerAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
}

/** URL schemes that Celery accepts for AMQP 0-9-1; `amqps` is AMQP over TLS. */
const SCHEMES: readonly string[] = ['amqp:', 'pyamqp:', 'librabbitmq:', 'amqps:'];

/**
 * Parses broker URLs as Celery does: `amqp://user:password@host:port/vhost`, each part
 * percent-encoded. Defaults: user and password `guest`, vhost `/`. Several URLs are separated by
 * `;`, in the order of preference. Throws an error with the mistake and the expected form, but
 * without passwords.
 */
export const brokerAddresses = (urls: string, forceTls = false): readonly BrokerAddress[] =>
  urls.split(';').map((url) => brokerAddress(url.trim(), forceTls));

const brokerAddress = (text: string, forceTls: boolean): BrokerAddress => {
  const url = URL.parse(text);
  if (!url) throw new Error('expected amqp://user:password@host:port/vhost, found text that is not a URL');
  const { protocol, hostname, port, username, password, pathname } = url;
  if (!SCHEMES.includes(protocol))
    throw new Error(
      `expected a URL with scheme ${SCHEMES.map((scheme) => scheme.slice(0, -1)).join(', ')}; found ${protocol.slice(0, -1)}`,
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

/** An address for logs, without credentials. */
export const describeAddress = ({ host, port, vhost }: BrokerAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}${vhost === '/' ? '' : ` vhost ${vhost}`}`;
