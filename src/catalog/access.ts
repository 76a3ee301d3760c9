import type { Access } from '../../pipelines/model/index.ts';
import { rootAt } from '../lib/plain-path.ts';
import { trimSlashes } from '../lib/trim-slashes.ts';
import { clientKeyOf, type ImporterConfig } from './importer-config.ts';

const MILLISECONDS = 1000;

const both = (
  username: string | undefined,
  password: string | undefined,
): { username: string; password: string } | undefined =>
  username !== undefined && password !== undefined ? { username, password } : undefined;

/** Pulp's `proxy_host` is a host or a URL; the port is always separate. */
const proxyUrl = (host: string, port: number): string => `${host.includes('://') ? host : `http://${host}`}:${port}`;

/**
 * An importer's settings for the connection to the feed, by Pulp's rules. The server is verified
 * unless `ssl_validation` is false. Pairs (certificate and key, host and port, name and password)
 * count only if both halves are given.
 */
export const accessOf = (config: ImporterConfig): Access => {
  const basicAuth = both(config.basic_auth_username, config.basic_auth_password);
  const { ssl_client_cert: clientCert, proxy_host: host, proxy_port: port } = config;
  const clientKey = clientKeyOf(config);
  return {
    ...rootAt(config.feed),
    // Lists of mirrors are homes of their own.
    ...(/^https?:/i.test(config.feed ?? '') && !config.mirrors && { home: config.feed }),
    ...(config.ssl_ca_cert !== undefined && { ca: config.ssl_ca_cert }),
    ...(clientCert !== undefined && clientKey !== undefined && { clientCert, clientKey }),
    ...(config.ssl_validation === false && { verifyServer: false }),
    ...(basicAuth && { basicAuth }),
    ...(host !== undefined &&
      port !== undefined && {
        proxy: { url: proxyUrl(trimSlashes(host), port), ...both(config.proxy_username, config.proxy_password) },
      }),
    ...(config.query_auth_token !== undefined && { query: config.query_auth_token }),
    ...(config.headers && { headers: Object.entries(config.headers) }),
    ...(config.mirrors && { mirrors: Object.entries(config.mirrors).map(([home, bases]) => ({ home, bases })) }),
    ...(config.connect_timeout !== undefined && { connectTimeout: config.connect_timeout * MILLISECONDS }),
    ...(config.read_timeout !== undefined && { readTimeout: config.read_timeout * MILLISECONDS }),
    ...(config.max_downloads !== undefined && { maxConcurrent: config.max_downloads }),
    ...(config.max_speed !== undefined && { maxSpeed: config.max_speed }),
  };
};
