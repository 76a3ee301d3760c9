import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Access } from '../../../pipelines/model/index.ts';
import type { Settings } from '../../config/schema.ts';
import { readPrivateKey, readPublicKey } from '../../http/rsa-key.ts';
import { readPlainFileSync } from '../../lib/read-plain-file.ts';
import { messageOf } from '../../lib/thrown.ts';
import { CERTIFICATE, SOON } from '../../sources/expiring-certificates.ts';
import type { PlaceTrial } from '../trials/feeds.ts';
import { type Checkup, finding, fine } from './checkup.ts';

/** PEM texts that are used together, and where they come from. */
interface Identity {
  readonly of: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** How to put another one in its place. */
  readonly renew: string;
}

/** Expiry of all certificates that the daemon shows or trusts, and whether their keys are theirs. */
export const examineCertificates = (
  settings: Settings,
  places: readonly PlaceTrial[],
  now: number,
): readonly Checkup[] => [
  ...[...identitiesOf(settings), ...places.flatMap(identityOf)].flatMap((identity) => examine(identity, now)),
  ...examineSigning(settings),
];

const identitiesOf = (settings: Settings): readonly Identity[] => {
  const files = (of: string, ca: string, cert: string, key: string): readonly Identity[] =>
    ca + cert + key === ''
      ? []
      : [{ of, ...read({ ca, cert, key }), renew: 'replace the file, and restart the daemon' }];
  const { dispatch, catalogType } = settings;
  return [
    ...(dispatch === 'celery' || dispatch === 'deferred'
      ? files('broker', settings.brokerCacert, settings.brokerCertfile, settings.brokerKeyfile)
      : []),
    ...(catalogType === 'mongodb'
      ? files('database', settings.databaseCaPath, settings.databaseSslCertfile, settings.databaseSslKeyfile)
      : []),
  ];
};

/** Files that cannot be read are refused settings already. */
const read = (files: { readonly ca: string; readonly cert: string; readonly key: string }) =>
  Object.fromEntries(
    Object.entries(files).flatMap(([name, file]) => (file === '' ? [] : [[name, readPlainFileSync(file)]])),
  );

const identityOf = ({ what, access = {} }: PlaceTrial): readonly Identity[] => {
  const { ca, clientCert, clientKey }: Access = access;
  if (ca === undefined && clientCert === undefined) return [];
  const of = what.split(', ')[0] ?? what;
  const renew = of.includes('alternate')
    ? 'replace the file that its descriptor names, then: pulp-streamer reload'
    : of.includes('repository')
      ? 'renew it in Pulp'
      : 'import or follow its repository again with --client-cert, --client-key and --ca';
  return [
    { of, renew, ...(ca && { ca }), ...(clientCert && { cert: clientCert }), ...(clientKey && { key: clientKey }) },
  ];
};

const examine = ({ of, ca = '', cert = '', key, renew }: Identity, now: number): readonly Checkup[] => [
  ...[...expiry(`client certificate of ${of}`, cert, renew, now), ...expiry(`CA certificate of ${of}`, ca, renew, now)],
  ...(cert === '' || key === undefined || belongs(key, cert)
    ? []
    : [finding('problem', 'certificates', `key of ${of}`, 'it is not that of the client certificate', renew)]),
];

const expiry = (what: string, pem: string, renew: string, now: number): readonly Checkup[] =>
  (pem.match(CERTIFICATE) ?? []).map((text) => {
    try {
      const until = Date.parse(new X509Certificate(text).validTo);
      const day = new Date(until).toISOString().slice(0, 10);
      if (until < now) return finding('problem', 'certificates', what, `expired on ${day}`, renew);
      return until - now < SOON
        ? finding('warning', 'certificates', what, `expires on ${day}`, renew)
        : fine('certificates', what, `valid until ${day}`);
    } catch (error) {
      return finding('problem', 'certificates', what, `cannot be read (${messageOf(error)})`, renew);
    }
  });

const belongs = (key: string, cert: string): boolean => {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // Encrypted or damaged: the feed's own trial has the reason.
    return true;
  }
};

/** Whether URLs that are signed here are accepted here. */
const examineSigning = ({ signedUrls, rsaPub, rsaKey }: Settings): readonly Checkup[] => {
  if (signedUrls === 'off') return [];
  try {
    const accepted = readPublicKey(rsaPub).export({ type: 'spki', format: 'pem' });
    const signing = readPrivateKey(rsaKey);
    const own = readPublicKey(rsaKey).export({ type: 'spki', format: 'pem' });
    return signing && own === accepted
      ? [fine('certificates', 'keys of signed URLs', 'rsa_key signs what rsa_pub accepts')]
      : [
          finding(
            'warning',
            'certificates',
            'keys of signed URLs',
            `rsa_key (${rsaKey}) is not the counterpart of rsa_pub (${rsaPub})`,
            'set rsa_pub to the public key of the pair that signs the URLs',
          ),
        ];
  } catch {
    // Only who signs has the private key; what rsa_pub lacks is a refused setting.
    return [];
  }
};
