import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate and its private key, as PEM texts. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** The certificates of the demonstration. */
export interface Certificates {
  /** The certificate of the private authority that issued the others. */
  readonly ca: string;
  /** For `localhost` and 127.0.0.1. */
  readonly server: Identity;
  readonly client: Identity;
}

/**
 * Makes a private authority, and a server and a client certificate of it, in a folder. They are
 * valid for thirty days. Rejects if there is no `openssl`, and says how to install it.
 */
export const makeCertificates = async (folder: string): Promise<Certificates> => {
  await mkdir(folder, { mode: 0o700 });
  const read = (file: string) => readFile(join(folder, file), 'utf8');

  const make = async (name: string, subject: string, extensions: string, ...signing: string[]): Promise<Identity> => {
    const config = `[req]\ndistinguished_name = name\nx509_extensions = extensions\n[name]\n[extensions]\n${extensions}`;
    await writeFile(join(folder, `${name}.conf`), config);
    // A request is made by the same command as a certificate that signs itself.
    const request = signing.length > 0;
    await openssl(
      folder,
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'],
      ...['-config', `${name}.conf`, '-subj', `/CN=${subject}`, '-keyout', `${name}.key`],
      ...(request ? ['-out', `${name}.csr`] : ['-x509', '-days', DAYS, '-out', `${name}.crt`]),
    );
    if (request)
      await openssl(
        folder,
        ...['x509', '-req', '-sha256', '-days', DAYS, '-in', `${name}.csr`, '-out', `${name}.crt`],
        ...['-extfile', `${name}.conf`, '-extensions', 'extensions', ...signing],
      );
    return { cert: await read(`${name}.crt`), key: await read(`${name}.key`) };
  };
  const issue = (name: string, serial: string, subject: string, extensions: string) =>
    make(name, subject, extensions, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', serial);

  const { cert: ca } = await make('ca', 'pulp-streamer demo CA', AUTHORITY);
  return {
    ca,
    server: await issue('server', '1', 'localhost', SERVER),
    client: await issue('client', '2', 'pulp-streamer', CLIENT),
  };
};

const DAYS = '30';
const AUTHORITY = 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n';
const LEAF = 'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n';
const SERVER = `${LEAF}extendedKeyUsage = serverAuth\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n`;
const CLIENT = `${LEAF}extendedKeyUsage = clientAuth\n`;

const openssl = async (folder: string, ...args: readonly string[]): Promise<void> => {
  try {
    await promisify(execFile)('openssl', args, { cwd: folder });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(MISSING, { cause: error });
  }
};

const MISSING =
  'the demo makes its certificates with the command openssl, which is not installed; expected the package openssl: apt install openssl, dnf install openssl, brew install openssl';
