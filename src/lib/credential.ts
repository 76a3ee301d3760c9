import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The names that systemd allows, without those of folders. */
const CREDENTIAL = /^credential:(?!\.)([\w.@:+-]+)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The file that a name stands for: `credential:NAME` is one of systemd's credentials
 * (`LoadCredential=`), which only the service can read. Other names are files. Throws if there are
 * no credentials.
 */
export const credentialFile = (name: string, env: Environment): string => {
  if (!name.startsWith('credential:')) return name;
  const [, credential] = CREDENTIAL.exec(name) ?? [];
  if (credential === undefined) throw new Error('expected credential:NAME with the name of a credential of systemd');
  if (!env.CREDENTIALS_DIRECTORY)
    throw new Error(`${name}: CREDENTIALS_DIRECTORY is not set, as LoadCredential= of a unit does`);
  return join(env.CREDENTIALS_DIRECTORY, credential);
};

/** Whether a text names a credential although there are none: the process is not the service. */
export const isAbsent = (text: string, { CREDENTIALS_DIRECTORY }: Environment): boolean =>
  CREDENTIAL.test(text) && !CREDENTIALS_DIRECTORY;

/** A secret as it was written, or the credential that is written in its place. */
export const secretText = (text: string, env: Environment): string =>
  text.startsWith('credential:') ? readFileSync(credentialFile(text, env), 'utf8') : text;
