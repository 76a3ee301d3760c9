import type { Checksum } from '../../pipelines/model/index.ts';
import { toChecksum } from './checksum.ts';

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

/**
 * Parses a Release file: one stanza of fields. The digest fields are lists of ` DIGEST SIZE PATH`.
 * Throws an error with `name` and the line.
 */
export const parseRelease = (name: string, text: string): Release => {
  const fields = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split(/\r?\n/)) {
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
      const [, digest, size, listed] = /^(\S+)\s+(\d+)\s+(\S.*)$/.exec(line) ?? [];
      if (digest === undefined || listed === undefined)
        throw new Error(`${name}: ${section}: '${line}', expected DIGEST SIZE PATH`);
      const path = listed.replace(/^(\.\/+)+/, '');
      const checksum = toChecksum(algorithm, digest, `${name}: ${path}`);
      const known = files.get(path);
      if (known) known.digests.push({ section, value: checksum.value });
      else files.set(path, { path, checksum, size: Number(size), digests: [{ section, value: checksum.value }] });
    }
  }
  return { byHash: fields.get('acquire-by-hash')?.[0]?.toLowerCase() === 'yes', files: [...files.values()] };
};
