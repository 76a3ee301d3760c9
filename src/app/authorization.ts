import type { KeyObject } from 'node:crypto';
import { StreamError } from '../../pipelines/model/index.ts';
import { ConfigError } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { type Asking, clientAddress } from '../http/client-address.ts';
import { readPublicKey } from '../http/rsa-key.ts';
import { verifyUrl } from '../http/signed-url.ts';
import { pathOfTarget, withoutPrefix } from '../http/target.ts';
import { messageOf } from '../lib/thrown.ts';

interface Signatures {
  /** Throws `URL_REFUSED` where a target is not signed for this client. */
  check(target: string, client: string): void;
  /** Reads the key anew; throws a ConfigError, and keeps the one it has, where that cannot be. */
  reload(): void;
}

/** Who asks, for what, and whether they may. */
export interface Authorization {
  clientOf(asking: Asking): string;
  /** The path in the catalog that a target means. Throws `BAD_TARGET`, and `URL_REFUSED` where this client may not have it. */
  pathFor(target: string, client: string): string;
  /** Absent where `signed_urls` is `off`. */
  readonly signatures?: Signatures;
}

type GateSettings = Pick<
  Settings,
  'signedUrls' | 'rsaPub' | 'redirectPath' | 'trustedProxies' | 'forwardedHeader' | 'adminPort'
>;

/** The gate that the settings describe. Throws a ConfigError where there is no key for it. */
export const openAuthorization = (settings: GateSettings): Authorization => {
  const { signedUrls, redirectPath, trustedProxies, forwardedHeader } = settings;
  const clientOf = clientAddress({ trusted: trustedProxies, header: forwardedHeader });
  const pathFor = (target: string) => withoutPrefix(pathOfTarget(target), redirectPath);
  if (signedUrls === 'off') return { clientOf, pathFor };

  const signatures = openSignatures(settings);
  if (signedUrls === 'auth') return { clientOf, pathFor, signatures };
  return {
    clientOf,
    pathFor: (target, client) => {
      const path = pathFor(target);
      signatures.check(target, client);
      return path;
    },
    signatures,
  };
};

const openSignatures = (settings: GateSettings): Signatures => {
  if (settings.signedUrls === 'auth' && settings.adminPort === 0)
    throw new ConfigError(['signed_urls is auth: expected an admin_port for proxies to ask; found 0']);
  let key = publicKey(settings);
  return {
    check: (target, client) => {
      const verdict = verifyUrl(target, { key, remoteIp: client, now: Math.floor(Date.now() / 1000) });
      if (!verdict.valid) throw new StreamError('URL_REFUSED', 'client', `the URL is refused: ${verdict.reason}`);
    },
    reload: () => {
      key = publicKey(settings);
    },
  };
};

const publicKey = ({ rsaPub }: GateSettings): KeyObject => {
  try {
    return readPublicKey(rsaPub);
  } catch (error) {
    throw new ConfigError([`rsa_pub: ${messageOf(error)}`]);
  }
};
