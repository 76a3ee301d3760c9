import { StreamError } from '../../pipelines/model/errors.ts';
import { normalPath } from '../../pipelines/model/spelling.ts';
import { authorityText, type HostPattern, hostMatcher, readAuthority } from '../lib/host-pattern.ts';
import { matcher } from '../lib/networks.ts';
import { pathOfTarget } from './target.ts';

/** What clients get that use the streamer as their proxy. */
export interface ProxyRules {
  /** Hosts, or paths at them, and where the catalog has their files. */
  readonly mapped: readonly (HostPattern & { readonly path: string; readonly prefix: string })[];
  /** Hosts whose files the catalog has below their names: `/HOST/PATH`. */
  readonly named: readonly HostPattern[];
  /** The URL of the streamer itself; empty if it is not known. */
  readonly publicUrl: string;
  /** Networks of those who may use it as their proxy. */
  readonly clients: readonly string[];
}

interface Asked {
  readonly authority: string;
  readonly scheme: string;
  readonly path: string;
}

/**
 * How clients of apt-cacher-ng write the URL `https://HOST/PATH`: as `http://HTTPS///HOST/PATH`, and as
 * the path `/HTTPS///HOST/PATH`.
 */
const TLS_MARK = /^(?:http:\/)?\/HTTPS\/{3}/i;

/** The URL of a target that is one (RFC 9112 section 3.2.2). */
const absolute = (target: string): Asked | undefined => {
  const [, scheme, authority = ''] = /^(https?):\/\/([^/?#]*)/i.exec(target.replace(TLS_MARK, 'https://')) ?? [];
  if (scheme === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), authority, path: pathOfTarget(target.replace(TLS_MARK, 'https://')) };
};

/** The URL that a path begins with, without its scheme: `/HOST/PATH`. */
const inPath = (path: string): Asked => {
  const [, authority = '', rest = '/'] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  return { scheme: 'http', authority, path: rest };
};

/** Finds the catalog's path of a target. */
export interface ProxiedPaths {
  /**
   * Throws `BAD_TARGET`, or `HOST_REFUSED` for a host that is not listed, or for a client that may not
   * use a proxy.
   */
  pathFor(target: string, client: string): string;
  /** The same for any client; of a host that is not listed, the path there. */
  pathOf(target: string): string;
}

/**
 * Finds paths as a proxy does: of `http://HOST/PATH`, the host decides where the catalog has it.
 * `/HOST/PATH` means the same if that host is mapped. Any other path is one of the catalog.
 */
export const proxiedPaths = (rules: ProxyRules): ProxiedPaths => {
  const { mapped, named, publicUrl, clients } = rules;
  const isClient = matcher(clients);
  // The longest path first; of the same length, hosts that are named in full.
  const places = [...mapped]
    .sort((a, b) => b.path.length - a.path.length || Number(a.host.includes('*')) - Number(b.host.includes('*')))
    .map((place) => ({ ...place, means: hostMatcher(place) }));
  const isNamed = named.map(hostMatcher);
  const own = absolute(publicUrl);
  const isOwn = hostMatcher((own && readAuthority(own.authority, own.scheme)) ?? { host: '' });

  const find = (host: HostPattern, asked: string): string | undefined => {
    const path = normalPath(asked);
    const place = places.find((one) => one.means(host) && `${path}/`.startsWith(`${one.path}/`));
    if (place) return `${place.prefix}${path.slice(place.path.length)}` || '/';
    if (isNamed.some((means) => means(host))) return `/${authorityText(host)}${path}`;
    return isOwn(host) ? path : undefined;
  };

  const locate = (target: string) => {
    const url = absolute(target);
    const asked = url ?? inPath(pathOfTarget(target));
    const host = readAuthority(asked.authority, asked.scheme);
    return { url, host, found: host && find(host, asked.path) };
  };

  return {
    pathOf: (target) => locate(target).found ?? pathOfTarget(target),
    pathFor: (target, client) => {
      const { url, host, found } = locate(target);
      if (!url) return found ?? pathOfTarget(target);
      if (!isClient(client)) throw refused(`${client} may not use it as a proxy: expected a client in proxy_clients`);
      if (!host)
        throw new StreamError('BAD_TARGET', 'client', `${JSON.stringify(url.authority)}: expected HOST or HOST:PORT`);
      if (found === undefined)
        throw refused(
          `${authorityText(host)}${url.path} is not served: expected a host of proxy_hosts or follow_hosts`,
        );
      return found;
    },
  };
};

const refused = (problem: string): StreamError => new StreamError('HOST_REFUSED', 'client', problem);
