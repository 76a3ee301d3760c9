import type { Access } from '../../pipelines/model/index.ts';
import type { ImporterConfig } from './importer-config.ts';

const MILLISECONDS = 1000;

const both = (
  username: string | undefined,
  password: string | undefined,
): { username: string; password: string } | undefined =>
  username !== undefined && password !== undefined ? { username, password } : undefined;

/** Pulp's `proxy_host` is a host or a URL; the port is always apart. */
const proxyUrl = (host: string, port: number): string => `${host.includes('://') ? host : `http://${host}`}:${port}`;

/**
 * How an importer's feed is approached, by Pulp's rules: the server is verified unless `ssl_validation` is false, and whatever
 * comes in pairs (certificate and key, host and port, name and password) counts only when both halves are there.
 */
export const accessOf = (config: ImporterConfig): Access => {
  const basicAuth = both(config.basic_auth_username, config.basic_auth_password);
  const { ssl_client_cert: clientCert, ssl_client_key: clientKey, proxy_host: host, proxy_port: port } = config;
  return {
    ...(config.ssl_ca_cert !== undefined && { ca: config.ssl_ca_cert }),
    ...(clientCert !== undefined && clientKey !== undefined && { clientCert, clientKey }),
    ...(config.ssl_validation === false && { verifyServer: false }),
    ...(basicAuth && { basicAuth }),
    ...(host !== undefined &&
      port !== undefined && {
        proxy: { url: proxyUrl(host.replace(/\/+$/, ''), port), ...both(config.proxy_username, config.proxy_password) },
      }),
    ...(config.connect_timeout !== undefined && { connectTimeout: config.connect_timeout * MILLISECONDS }),
    ...(config.read_timeout !== undefined && { readTimeout: config.read_timeout * MILLISECONDS }),
    ...(config.max_downloads !== undefined && { maxConcurrent: config.max_downloads }),
    ...(config.max_speed !== undefined && { maxSpeed: config.max_speed }),
  };
};
