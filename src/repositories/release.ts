import type { Checksum, ChecksumAlgorithm } from '../../pipelines/model/index.ts';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { parseDigestLine } from './digest-line.ts';
import type { Repository } from './format.ts';
import { unlessOdd } from './odd-entry.ts';

/** A file that a Release file lists, with its checksum. */
export interface ReleaseFile {
  /** Relative to the Release file's folder. */
  readonly path: string;
  /** Its strongest. */
  readonly checksum: Checksum;
  readonly size: number;
  /** All of its digests, each with the name of its section, as used in by-hash paths. */
  readonly digests: readonly ReleaseDigest[];
}

interface ReleaseDigest {
  readonly section: string;
  readonly value: string;
}

export interface Release {
  /** Whether indices are also available by their digest. If so, apt requests them that way. */
  readonly byHash: boolean;
  /** When it was made, and from when on it no longer counts: as it states them. */
  readonly date?: string;
  readonly validUntil?: string;
  readonly files: readonly ReleaseFile[];
}

/** Strongest first, as apt prefers it. */
export const SECTIONS = [
  ['SHA512', 'sha512'],
  ['SHA256', 'sha256'],
  ['SHA1', 'sha1'],
  ['MD5Sum', 'md5'],
] as const;

/** The text inside a clear-signed message (RFC 9580 section 7). Other text stays unchanged. */
export const withoutSignature = (text: string): string => {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) return text;
  const start = /\r?\n\r?\n/.exec(text);
  const end = text.indexOf('\n-----BEGIN PGP SIGNATURE-----');
  if (!start || end < 0) return '';
  return text.slice(start.index + start[0].length, end);
};

const toFile = (line: string, algorithm: ChecksumAlgorithm, where: string): Omit<ReleaseFile, 'digests'> => {
  const { digest, size, name } = parseDigestLine(line, where);
  const path = name.replace(/^(\.\/+)+/, '');
  return { path, checksum: toChecksum(algorithm, digest, `${where}: ${path}`), size };
};

/**
 * Parses a Release file: one stanza of fields. The digest fields are lists of ` DIGEST SIZE PATH`.
 * Lines that are not such are left out.
 */
export const parseRelease = (name: string, text: string, repository: Pick<Repository, 'leftOut'>): Release => {
  const fields = new Map<string, string[]>();
  let current: string[] = [];
  let number = 0;
  for (const line of text.split(/\r?\n/)) {
    number += 1;
    if (line.length > BOUNDS.text)
      throw new BoundExceeded(`${name}: line ${number}: longer than ${BOUNDS.text} characters`);
    if (fields.size > BOUNDS.fields)
      throw new BoundExceeded(`${name}: line ${number}: more than ${BOUNDS.fields} fields`);
    if (/^[ \t]/.test(line)) {
      current.push(line.trim());
      continue;
    }
    const [, field, value] = /^([^:\s]+):(.*)$/.exec(line) ?? [];
    if (field === undefined || value === undefined) continue;
    current = value.trim() === '' ? [] : [value.trim()];
    fields.set(field.toLowerCase(), current);
  }
  const files = new Map<string, ReleaseFile & { readonly digests: ReleaseDigest[] }>();
  for (const [section, algorithm] of SECTIONS) {
    for (const line of fields.get(section.toLowerCase()) ?? []) {
      const file = unlessOdd(repository, () => toFile(line, algorithm, `${name}: ${section}`));
      if (!file) continue;
      const digest = { section, value: file.checksum.value };
      const known = files.get(file.path);
      if (known) known.digests.push(digest);
      else files.set(file.path, { ...file, digests: [digest] });
      if (files.size > BOUNDS.listed) throw new BoundExceeded(`${name}: ${section}: more than ${BOUNDS.listed} files`);
    }
  }
  const date = fields.get('date')?.[0];
  const validUntil = fields.get('valid-until')?.[0];
  return {
    byHash: fields.get('acquire-by-hash')?.[0]?.toLowerCase() === 'yes',
    files: [...files.values()],
    ...(date !== undefined && { date }),
    ...(validUntil !== undefined && { validUntil }),
  };
};
