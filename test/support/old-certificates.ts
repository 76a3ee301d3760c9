import { execFileSync } from 'node:child_process';
import { createDiffieHellmanGroup } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from './authority.ts';

interface Making {
  /** Of the RSA key. */
  readonly bits?: number;
  /** Of the signature. */
  readonly digest?: 'sha256' | 'sha1' | 'md5';
  readonly subject?: string;
  /** From now on; negative for an expired one. */
  readonly days?: number;
}

/** Certificates as they were made ten and more years ago, by OpenSSL's own command, in a folder. */
export const oldCertificates = (folder: string) => {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  let made = 0;

  const request = ({ bits = 2048, subject = '/CN=127.0.0.1' }: Making) => {
    made += 1;
    const name = String(made);
    openssl(
      'req',
      '-newkey',
      `rsa:${bits}`,
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    );
    return name;
  };

  /** Signs a request; with an authority's own key, or by itself. */
  const sign = (name: string, by: string, { digest = 'sha256', days = 2 }: Making, extensions: string): Identity => {
    writeFileSync(join(folder, `${name}.ext`), extensions);
    const signer =
      by === name ? ['-signkey', `${name}.key`] : ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'];
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, '-days', String(days), `-${digest}`],
      ...[...signer, '-extfile', `${name}.ext`],
    );
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  };

  const AUTHORITY = 'basicConstraints=critical,CA:TRUE\n';

  const authority = (making: Making = {}) => {
    const name = request({ subject: '/CN=Old CA', ...making });
    const leaf = (how: Making = {}, alternatives = 'IP:127.0.0.1,DNS:localhost'): Identity =>
      sign(
        request(how),
        name,
        how,
        alternatives === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${alternatives}\n`,
      );
    return { ...sign(name, name, making, AUTHORITY), leaf };
  };

  return { authority };
};

/** Parameters for Diffie-Hellman with 1024 bits (RFC 2409 section 6.2), as web servers had them: PKCS #3 in PEM. */
export const oldDiffieHellman = (): string => {
  const prime = createDiffieHellmanGroup('modp2').getPrime();
  const numbers = Buffer.concat([Buffer.from([2, 0x81, prime.length + 1, 0]), prime, Buffer.from([2, 1, 2])]);
  const all = Buffer.concat([Buffer.from([0x30, 0x81, numbers.length]), numbers]);
  return `-----BEGIN DH PARAMETERS-----\n${all.toString('base64')}\n-----END DH PARAMETERS-----\n`;
};
