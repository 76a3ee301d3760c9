import type { DatabaseSettings } from '../../src/catalog/mongodb/client.ts';

/** The settings of an empty `[database]` in server.conf. */
export const databaseSettings = (more: Partial<DatabaseSettings> = {}): DatabaseSettings => ({
  url: '',
  name: 'pulp_database',
  seeds: ['localhost:27017'],
  username: '',
  password: '',
  replicaSet: '',
  ssl: false,
  sslKeyfile: '',
  sslCertfile: '',
  verifySsl: true,
  caPath: '',
  ...more,
});
