import { X509Certificate } from 'node:crypto';
import { type Access, type Location, type OpenSource, sourceName } from '../../pipelines/model/index.ts';
import { holderOf, importerOf } from './holder.ts';

/** A certificate that a source uses. */
export interface UsedCertificate {
  /** The name of the source that uses it: see `sourceName`. */
  readonly source: string;
  readonly what: 'client certificate' | 'CA certificate';
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** A certificate that expires soon or has expired. */
export interface ExpiringCertificate extends UsedCertificate {
  /** The importer that it belongs to; `''` for an alternate source. */
  readonly importerId: string;
  readonly subject: string;
}

export interface WatchedCertificates {
  /** Opens as before. */
  readonly open: OpenSource;
  /** Of each source that was opened and each kind, the certificate that expires first. */
  certificates(): readonly UsedCertificate[];
}

interface Options {
  readonly warn: (certificate: ExpiringCertificate) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const DAY = 86_400_000;
/** Milliseconds before its end from which a certificate is warned about. */
export const SOON = 30 * DAY;

/** The most texts, and uses of them, that are remembered; the oldest is dropped first. A site has one per importer. */
const MOST = 10_000;

/** Each certificate of a text. */
export const CERTIFICATE = /-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END (TRUSTED )?CERTIFICATE-----/g;

interface Read {
  readonly subject: string;
  readonly notAfter: number;
  warned: number;
}

/**
 * Watches the certificates of sources that are opened. Warns once a day about each that expires
 * within thirty days.
 */
export const watchCertificates = (open: OpenSource, { warn, now }: Options): WatchedCertificates => {
  const known = new Map<string, readonly Read[]>();
  const uses = new Map<string, Pick<UsedCertificate, 'source' | 'what'> & { readonly read: readonly Read[] }>();

  const readOnce = (text: string): readonly Read[] => {
    const found = known.get(text) ?? (text.match(CERTIFICATE) ?? []).flatMap(read);
    setBounded(known, text, found);
    return found;
  };

  const look = (location: Location, what: ExpiringCertificate['what'], text: string | undefined): void => {
    if (text === undefined) return;
    const time = now();
    const certificates = readOnce(text);
    const source = sourceName(holderOf(location));
    setBounded(uses, `${what} ${source}`, { source, what, read: certificates });
    for (const certificate of certificates) {
      const { subject, notAfter, warned } = certificate;
      if (notAfter - time > SOON || time - warned < DAY) continue;
      certificate.warned = time;
      warn({ source, importerId: importerOf(location), what, subject, notAfter });
    }
  };

  return {
    open: (location, ask) => {
      const { ca, clientCert }: Access = /^https:/i.test(location.url) ? (location.access ?? {}) : {};
      look(location, 'client certificate', clientCert);
      look(location, 'CA certificate', ca);
      return open(location, ask);
    },
    certificates: () =>
      [...uses.values()].flatMap(({ source, what, read }) =>
        read.length > 0 ? [{ source, what, notAfter: Math.min(...read.map(({ notAfter }) => notAfter)) }] : [],
      ),
  };
};

const setBounded = <T>(map: Map<string, T>, key: string, value: T): void => {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
};

/** An unreadable certificate is reported by the connection that uses it. */
const read = (pem: string): Read[] => {
  try {
    const { subject, validTo } = new X509Certificate(pem);
    return [
      { subject: subject.replaceAll('\n', ', '), notAfter: Date.parse(validTo), warned: Number.NEGATIVE_INFINITY },
    ];
  } catch {
    return [];
  }
};
