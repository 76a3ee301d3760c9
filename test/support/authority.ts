import 'reflect-metadata';
import { KeyObject, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, as PEM texts. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** How long a certificate holds; default: from an hour ago for thirty days. */
interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/**
 * A private certificate authority that also makes invalid certificates. It lives in memory and ends with
 * the process.
 */
export interface Authority {
  /** Its own certificate, as a PEM text. */
  readonly cert: string;
  /** For a server known by these host names and IP addresses; the first is its common name. */
  server(hosts: readonly [string, ...string[]], validity?: Validity): Promise<Identity>;
  client(name: string, validity?: Validity): Promise<Identity>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;

/** Makes an authority; its name is the common name of its certificate. */
export const createAuthority = async (name: string): Promise<Authority> => {
  const keys = await makeKeys();
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    ...period(),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    cert: authority.toString('pem'),
    server: (hosts, validity) =>
      issue(authority, keys, hosts[0], validity, [
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(hosts.map((host) => ({ type: isIP(host) ? 'ip' : 'dns', value: host }))),
      ]),
    client: (who, validity) =>
      issue(authority, keys, who, validity, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]),
  };
};

const issue = async (
  authority: X509Certificate,
  authorityKeys: webcrypto.CryptoKeyPair,
  name: string,
  validity: Validity | undefined,
  extensions: readonly Extension[],
): Promise<Identity> => {
  const keys = await makeKeys();
  const cert = await X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    ...period(validity),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      await AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
      ...extensions,
    ],
  });
  return { cert: cert.toString('pem'), key: keyPem(keys.privateKey) };
};

const makeKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const period = ({ notBefore, notAfter }: Validity = {}): Required<Validity> => ({
  notBefore: notBefore ?? new Date(Date.now() - HOUR),
  notAfter: notAfter ?? new Date(Date.now() + 30 * 24 * HOUR),
});

const keyPem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
