import type { DatabaseSettings } from '../catalog/mongodb/client.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import { type IdentityFiles, identityProblems } from './identity-files.ts';

/** The settings of Pulp's database. */
export const databaseOf = (settings: Settings): DatabaseSettings => ({
  url: settings.mongodbUrl,
  name: settings.databaseName,
  seeds: settings.databaseSeeds,
  username: settings.databaseUsername,
  password: settings.databasePassword,
  replicaSet: settings.databaseReplicaSet,
  ssl: settings.databaseSsl,
  sslKeyfile: settings.databaseSslKeyfile,
  sslCertfile: settings.databaseSslCertfile,
  verifySsl: settings.databaseVerifySsl,
  caPath: settings.databaseCaPath,
});

/** The files that they name. */
export const databaseFiles = ({ databaseSslKeyfile, databaseSslCertfile, databaseCaPath }: Settings) => [
  ...[databaseSslKeyfile, databaseSslCertfile, databaseCaPath],
];

/**
 * Rejects with a ConfigError if the settings of Pulp's database cannot be used. Connects to
 * nothing.
 */
export const checkDatabase = async (settings: Settings): Promise<void> => {
  const problems = settings.mongodbUrl === '' && settings.databaseSsl ? identityProblems(identityOf(settings)) : [];
  if (problems.length > 0) throw new ConfigError(problems);
  const { makeClient } = await import('../catalog/mongodb/client.ts');
  try {
    await makeClient(databaseOf(settings), settings.mongodbTimeout).client.close();
  } catch (error) {
    throw new ConfigError([messageOf(error)]);
  }
};

/** A certificate's file may also hold its key. Without a certificate, no key is used. */
const identityOf = ({
  databaseCaPath,
  databaseSslCertfile: cert,
  databaseSslKeyfile: key,
}: Settings): IdentityFiles => ({
  ca: ['databaseCaPath', databaseCaPath],
  cert: ['databaseSslCertfile', cert],
  key: cert !== '' && key === '' ? ['databaseSslCertfile', cert] : ['databaseSslKeyfile', cert === '' ? '' : key],
});
