import type { KeyObject } from 'node:crypto';
import { StreamError } from '../../pipelines/model/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { type Asking, clientAddress } from '../http/client-address.ts';
import { type ProxyRules, proxiedPaths } from '../http/proxied.ts';
import { readPublicKey } from '../http/rsa-key.ts';
import { type SignedPolicy, verifyUrl } from '../http/signed-url.ts';
import { pathOfTarget, withoutPrefix } from '../http/target.ts';
import { messageOf } from '../lib/thrown.ts';

interface Signatures {
  /** The policy that a target is signed with. Throws `URL_REFUSED` if it is not signed for this client. */
  check(target: string, client: string): SignedPolicy;
}

/** Which client asks, for which path, and whether it is allowed. */
export interface Authorization {
  clientOf(asking: Asking): string;
  /**
   * The catalog path of a target. Throws `BAD_TARGET`, or `URL_REFUSED` if this client is not
   * allowed to get it.
   */
  pathFor(target: string, client: string): string;
  /** The same for any client. Throws only if there is no path in the target. */
  pathOf(target: string): string;
  /** Absent if `signed_urls` is `off`. */
  readonly signatures?: Signatures;
}

type AuthorizationSettings = Pick<
  Settings,
  | 'signedUrls'
  | 'rsaPub'
  | 'redirectPath'
  | 'trustedProxies'
  | 'forwardedHeader'
  | 'adminPort'
  | 'proxy'
  | 'proxyHosts'
  | 'followHosts'
  | 'publicUrl'
  | 'proxyClients'
>;

/** The authorization that the settings describe. Throws a ConfigError if its key cannot be read. */
export const openAuthorization = (settings: AuthorizationSettings): Authorization => {
  const { signedUrls, redirectPath, trustedProxies, forwardedHeader } = settings;
  const clientOf = clientAddress({ trusted: trustedProxies, header: forwardedHeader });
  const shortened = withoutPrefix(redirectPath);
  const named = settings.proxy ? proxiedPaths(proxyRules(settings)) : { pathFor: pathOfTarget, pathOf: pathOfTarget };
  const pathFor = (target: string, client: string) => shortened(named.pathFor(target, client));
  const pathOf = (target: string) => shortened(named.pathOf(target));
  if (signedUrls === 'off') return { clientOf, pathFor, pathOf };
  if (settings.proxy && signedUrls !== 'auth')
    throw new ConfigError([`proxy is yes: expected signed_urls off or auth; found ${signedUrls}`]);

  const signatures = openSignatures(settings);
  if (signedUrls === 'auth') return { clientOf, pathFor, pathOf, signatures };
  return {
    ...{ clientOf, pathOf },
    pathFor: (target, client) => {
      // Two files may have names that one signature covers: the one that was signed is served.
      const [path = ''] = signatures.check(target, client).resource.split('?', 1);
      return shortened(path);
    },
    signatures,
  };
};

const proxyRules = ({ proxyHosts, followHosts, publicUrl, proxyClients }: AuthorizationSettings): ProxyRules => ({
  ...{ mapped: proxyHosts, named: followHosts, publicUrl, clients: proxyClients },
});

const openSignatures = (settings: AuthorizationSettings): Signatures => {
  if (settings.signedUrls === 'auth' && settings.adminPort === 0)
    throw new ConfigError(['signed_urls is auth: expected an admin_port for proxies to ask; found 0']);
  const key = publicKey(settings);
  return {
    check: (target, client) => {
      const verdict = verifyUrl(target, { key, remoteIp: client, now: Math.floor(Date.now() / 1000) });
      if (!verdict.valid) throw new StreamError('URL_REFUSED', 'client', `the URL is refused: ${verdict.reason}`);
      return verdict.policy;
    },
  };
};

const publicKey = ({ rsaPub }: AuthorizationSettings): KeyObject => {
  try {
    return readPublicKey(rsaPub);
  } catch (error) {
    throw new ConfigError([`rsa_pub: ${messageOf(error)}`]);
  }
};
