import { createPrivateKey } from 'node:crypto';
import type { Certificates } from '../certificates.ts';

/** The three texts of an importer whose feed demands a certificate. */
export interface Pems {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const pemsOf = ({ authority, client }: Pick<Certificates, 'authority' | 'client'>): Pems => ({
  ca: authority.cert,
  ...client,
});

/** Where each text is in Pulp's configuration, and in its folder. */
export const PEM_PLACES = [
  ['ca', 'ssl_ca_cert', 'ca.crt'],
  ['cert', 'ssl_client_cert', 'client.crt'],
  ['key', 'ssl_client_key', 'client.key'],
] as const;

const each = ({ ca, cert, key }: Pems, change: (pem: string) => string): Pems => ({
  ca: change(ca),
  cert: change(cert),
  key: change(key),
});

const CERTIFICATE = /-----(BEGIN|END) CERTIFICATE-----/g;
const block = (label: string): string =>
  `-----BEGIN ${label}-----\n${btoa('nothing of ours')}\n-----END ${label}-----\n`;
const sec1 = (key: string): string => createPrivateKey(key).export({ type: 'sec1', format: 'pem' }).toString();

/** Spellings of the same certificates and keys, all of which curl takes. */
export const PEM_FORMS: readonly [what: string, spell: (pems: Pems, certificates: Certificates) => Pems][] = [
  ['as they are', (pems) => pems],
  ['with line ends of Windows', (pems) => each(pems, (pem) => pem.replaceAll(/\r?\n/g, '\r\n'))],
  ['without a line end after the last line', (pems) => each(pems, (pem) => pem.trimEnd())],
  ['with blank lines around', (pems) => each(pems, (pem) => `\n\n${pem}\n\n`)],
  [
    'with what OpenSSL writes before',
    (pems) => each(pems, (pem) => `Bag Attributes\n    friendlyName: bär\nsubject=/CN=bear\n${pem}`),
  ],
  [
    'of a subscription, with blocks that OpenSSL knows nothing of',
    ({ cert, ...others }) => ({
      ...others,
      cert: `${cert.trimEnd()}\n${block('ENTITLEMENT DATA')}${block('RSA SIGNATURE')}`,
    }),
  ],
  [
    'with certificate and key in both files',
    ({ ca, cert, key }) => ({ ca, cert: `${cert}\n${key}`, key: `${cert}\n${key}` }),
  ],
  ['with a key of the older form', ({ key, ...others }) => ({ ...others, key: sec1(key) })],
  [
    'with the parameters before the key',
    ({ key, ...others }) => ({
      ...others,
      key: `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1(key)}`,
    }),
  ],
  ['with the authority behind the client’s certificate', ({ ca, cert, key }) => ({ ca, cert: `${cert}\n${ca}`, key })],
  [
    'with other authorities before the right one',
    ({ ca, ...others }, { stranger, selfSigned }) => ({
      ...others,
      ca: [stranger.cert, selfSigned.cert, ca, ca].join('\n'),
    }),
  ],
  [
    'with an authority that OpenSSL calls trusted',
    ({ ca, ...others }) => ({
      ...others,
      ca: ca.replaceAll(CERTIFICATE, '-----$1 TRUSTED CERTIFICATE-----'),
    }),
  ],
];
