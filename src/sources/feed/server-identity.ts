import { isIP } from 'node:net';
import { type PeerCertificate, checkServerIdentity as strictly } from 'node:tls';

/**
 * Compares a server's certificate with the requested host; returns the error if it is for another
 * one. The common name of a certificate without `subjectAltName` counts. Node accepts it for host
 * names only. Python 2, and curl with NSS or OpenSSL, also accept it for addresses.
 */
export const checkServerIdentity = (host: string, certificate: PeerCertificate): Error | undefined => {
  const { subjectaltname, subject } = certificate;
  if (isIP(host) !== 0 && subjectaltname === undefined && subject?.CN === host) return undefined;
  return strictly(host, certificate);
};
