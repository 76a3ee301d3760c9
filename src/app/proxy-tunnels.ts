import { connect, type Socket } from 'node:net';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { Settings } from '../config/schema.ts';
import type { Tunnels } from '../http/tunnel.ts';
import { authorityText, type HostPattern, hostMatcher, namedPart } from '../lib/host-pattern.ts';
import { matcher } from '../lib/networks.ts';
import { feedError } from '../sources/feed/errors.ts';
import { Http1Error } from '../sources/feed/http1/errors.ts';
import { createReach, plainHost } from '../sources/feed/reach.ts';

type TunnelSettings = Pick<
  Settings,
  'proxy' | 'proxyConnect' | 'proxyClients' | 'feedNetworks' | 'connectTimeout' | 'keepAliveTimeout'
>;

/** The part of the settings that tunnels depend on. */
export const tunnelSettings = (settings: TunnelSettings): TunnelSettings => {
  const { proxy, proxyConnect, proxyClients, feedNetworks, connectTimeout, keepAliveTimeout } = settings;
  return { proxy, proxyConnect, proxyClients, feedNetworks, connectTimeout, keepAliveTimeout };
};

const TLS = 443;

const refused = (problem: string): StreamError => new StreamError('HOST_REFUSED', 'client', problem);

/**
 * The tunnels that the settings permit. Of a pattern, names below its domain lead to internal
 * addresses only if the domain itself does.
 */
export const tunnelsOf = (settings: TunnelSettings): Tunnels | undefined => {
  if (!settings.proxy) return undefined;
  const { proxyConnect, proxyClients, feedNetworks, connectTimeout, keepAliveTimeout } = settings;
  const isClient = matcher(proxyClients);
  const listed = proxyConnect.map((pattern) => ({ ...pattern, means: hostMatcher(pattern) }));
  const reach = createReach(feedNetworks);
  const patternOf = (server: HostPattern) => listed.find(({ means }) => means(server));

  const dial = (server: HostPattern): Socket => {
    const host = plainHost(server.host);
    const home = plainHost(namedPart(patternOf(server)?.host ?? server.host));
    const socket = connect({
      ...{ host, port: server.port ?? TLS, allowHalfOpen: true, noDelay: true },
      lookup: reach.lookupFor(host, home),
    });
    const late = () => socket.destroy(new Http1Error('CONNECT_TIMEOUT', `no connection within ${connectTimeout} ms`));
    const timer = connectTimeout > 0 ? setTimeout(late, connectTimeout) : undefined;
    for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
    return socket;
  };

  return {
    check: (server, client) => {
      if (!isClient(client)) throw refused(`${client} may not use it as a proxy: expected a client in proxy_clients`);
      if (!patternOf(server))
        throw refused(`a tunnel to ${authorityText(server)} is not permitted: expected a server of proxy_connect`);
    },
    dial,
    failed: (server, error) => feedError(error, new URL(`https://${authorityText(server)}`)),
    idleTimeout: keepAliveTimeout,
  };
};
