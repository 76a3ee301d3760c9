import 'reflect-metadata';
import { KeyObject } from 'node:crypto';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { type Authority, createAuthority, type Identity } from './authority.ts';

/** Certificates for feeds on the loopback interface, valid and invalid ones. */
export interface Certificates {
  readonly authority: Authority;
  /** An untrusted authority. */
  readonly stranger: Authority;
  /** For 127.0.0.1 and localhost. */
  readonly server: Identity;
  readonly expired: Identity;
  readonly elsewhere: Identity;
  readonly selfSigned: Identity;
  readonly client: Identity;
  readonly otherClient: Identity;
  readonly strangersClient: Identity;
}

export const createCertificates = async (): Promise<Certificates> => {
  const [authority, stranger] = await Promise.all([createAuthority('Test CA'), createAuthority('Stranger CA')]);
  const yesterday = new Date(Date.now() - 86_400_000);
  const dayBefore = new Date(Date.now() - 2 * 86_400_000);
  return {
    authority,
    stranger,
    server: await authority.server(['localhost', '127.0.0.1']),
    expired: await authority.server(['localhost', '127.0.0.1'], { notBefore: dayBefore, notAfter: yesterday }),
    elsewhere: await authority.server(['elsewhere.test']),
    selfSigned: await selfSigned(),
    client: await authority.client('first client'),
    otherClient: await authority.client('second client'),
    strangersClient: await stranger.client('first client'),
  };
};

const selfSigned = async (): Promise<Identity> => {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { cert: cert.toString('pem'), key: key.toString() };
};
