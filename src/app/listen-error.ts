import { ConfigError } from '../config/config-error.ts';
import { keyOf, type SettingName } from '../config/schema.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';

/** Why the system refuses an address or a port to a listener, by its code. */
export const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is taken, by a running daemon or by another program',
  EACCES: 'this user may not listen there: choose one above 1023, or permit it (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine does not have the address',
};

/** What the system refuses about a listener's address or port, as a problem of the setting. */
export const listenError = (
  error: unknown,
  settings: { readonly port: SettingName; readonly interfaces: SettingName },
): unknown => {
  const reason = LISTEN_REASONS[codeOf(error)];
  if (reason === undefined) return error;
  const { address = '', port = '' } = error as { readonly address?: string; readonly port?: number };
  const name = codeOf(error) === 'EADDRNOTAVAIL' ? settings.interfaces : settings.port;
  const place = codeOf(error) === 'EADDRNOTAVAIL' ? address : `port ${port} on ${address}`;
  return new ConfigError([`${keyOf(name)}: ${place}: ${reason} (${messageOf(error)})`]);
};
