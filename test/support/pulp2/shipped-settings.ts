/** A setting of Pulp's files as shipped, and its meaning for the streamer. */
interface ShippedSetting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Ours, and its value. Absent: it is for Pulp alone. */
  readonly means?: readonly [name: string, value: unknown];
}

const setting = (
  section: string,
  key: string,
  value: string,
  name?: string,
  means: unknown = value,
): ShippedSetting => ({
  section,
  key,
  value,
  ...(name !== undefined && { means: [name, means] }),
});

/** By file. In the shipped files each is in a comment, since it is also Pulp's default. */
export const SHIPPED_SETTINGS: Readonly<Record<'server.conf' | 'streamer.conf', readonly ShippedSetting[]>> = {
  'server.conf': [
    setting('server', 'server_name', 'pulp.example.com'),
    setting('server', 'default_locale', 'en_US.UTF-8'),
    setting('server', 'debugging_mode', 'false'),
    setting('server', 'log_level', 'INFO'),
    setting('server', 'storage_dir', '/var/lib/pulp', 'storageDir'),
    setting('security', 'user_cert_expiration', '7'),
    setting('authentication', 'rsa_key', '/etc/pki/pulp/rsa.key', 'rsaKey'),
    setting('authentication', 'rsa_pub', '/etc/pki/pulp/rsa_pub.key', 'rsaPub'),
    setting('database', 'name', 'pulp_database', 'databaseName'),
    setting('database', 'seeds', 'localhost:27017', 'databaseSeeds', ['localhost:27017']),
    setting('database', 'username', '', 'databaseUsername'),
    setting('database', 'password', '', 'databasePassword'),
    setting('database', 'replica_set', '', 'databaseReplicaSet'),
    setting('database', 'ssl', 'false', 'databaseSsl', false),
    setting('database', 'ssl_keyfile', '', 'databaseSslKeyfile'),
    setting('database', 'ssl_certfile', '', 'databaseSslCertfile'),
    setting('database', 'verify_ssl', 'true', 'databaseVerifySsl', true),
    setting('tasks', 'celery_require_ssl', 'false', 'brokerTls', false),
    setting('tasks', 'login_method', '', 'brokerLogin', 'PLAIN'),
    setting('lazy', 'redirect_host', ''),
    setting('lazy', 'redirect_port', ''),
    setting('lazy', 'redirect_path', '/streamer/', 'redirectPath'),
    setting('lazy', 'https_retrieval', 'true'),
    setting('lazy', 'download_interval', '30'),
    setting('lazy', 'download_concurrency', '5'),
  ],
  'streamer.conf': [
    setting('streamer', 'port', '8751', 'port', 8751),
    setting('streamer', 'interfaces', 'localhost', 'interfaces', ['localhost']),
    setting('streamer', 'cache_timeout', '86400', 'cacheTimeout', 86_400_000),
    setting('streamer', 'log_level', 'INFO', 'logLevel'),
  ],
};

/** A file with its settings in comments, or spelled out. */
export const fileOf = (settings: readonly ShippedSetting[], comment: '' | '# '): string =>
  [...Map.groupBy(settings, ({ section }) => section)]
    .map(([section, own]) => `[${section}]\n${own.map(({ key, value }) => `${comment}${key}: ${value}\n`).join('')}`)
    .join('\n');
