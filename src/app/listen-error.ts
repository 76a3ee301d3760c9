import { ConfigError } from '../config/config-error.ts';
import { keyOf, type SettingName } from '../config/schema.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program; stop it, or choose another one',
  EACCES: 'may not be used by this user; choose one above 1023, or permit it (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'is an address that this machine does not have',
};

/** What the system refuses about a listener's address or port, as a problem of the setting. */
export const listenError = (
  error: unknown,
  settings: { readonly port: SettingName; readonly interfaces: SettingName },
): unknown => {
  const reason = REASONS[codeOf(error)];
  if (reason === undefined) return error;
  const { address = '', port = '' } = error as { readonly address?: string; readonly port?: number };
  const name = codeOf(error) === 'EADDRNOTAVAIL' ? settings.interfaces : settings.port;
  const place = codeOf(error) === 'EADDRNOTAVAIL' ? address : `port ${port} of ${address}`;
  return new ConfigError([`${keyOf(name)}: ${place} ${reason} (${messageOf(error)})`]);
};
