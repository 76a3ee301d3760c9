import { X509Certificate } from 'node:crypto';
import { type Access, type Location, type OpenSource, sourceName } from '../../pipelines/model/index.ts';
import { holderOf, importerOf } from './holder.ts';

/** A certificate that expires soon or has expired. */
export interface ExpiringCertificate {
  /** The name of the source that uses it: see `sourceName`. */
  readonly source: string;
  /** The importer that it belongs to; `''` for an alternate source. */
  readonly importerId: string;
  readonly what: 'client certificate' | 'CA certificate';
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

interface Options {
  readonly warn: (certificate: ExpiringCertificate) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const DAY = 86_400_000;
const SOON = 30 * DAY;

/** The most texts that are remembered; the oldest is dropped first. A site has one per importer. */
const MOST = 10_000;

const PEM = /-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END (TRUSTED )?CERTIFICATE-----/g;

interface Read {
  readonly subject: string;
  readonly notAfter: number;
  warned: number;
}

/**
 * Opens as `open` does. Warns once a day about each certificate in use that expires within thirty
 * days.
 */
export const warnOfExpiry = (open: OpenSource, { warn, now }: Options): OpenSource => {
  const known = new Map<string, readonly Read[]>();

  const readOnce = (text: string): readonly Read[] => {
    const found = known.get(text) ?? (text.match(PEM) ?? []).flatMap(read);
    known.set(text, found);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    return found;
  };

  const look = (location: Location, what: ExpiringCertificate['what'], text: string | undefined): void => {
    if (text === undefined) return;
    const time = now();
    for (const certificate of readOnce(text)) {
      const { subject, notAfter, warned } = certificate;
      if (notAfter - time > SOON || time - warned < DAY) continue;
      certificate.warned = time;
      const source = sourceName(holderOf(location));
      warn({ source, importerId: importerOf(location), what, subject, notAfter });
    }
  };

  return (location, ask) => {
    const { ca, clientCert }: Access = /^https:/i.test(location.url) ? (location.access ?? {}) : {};
    look(location, 'client certificate', clientCert);
    look(location, 'CA certificate', ca);
    return open(location, ask);
  };
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
