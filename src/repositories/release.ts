import type { Checksum } from '../../pipelines/model/index.ts';
import { toChecksum } from './checksum.ts';

/** A file that a Release file lists, with its checksum. */
export interface ReleaseFile {
  /** Relative to the Release file's folder. */
  readonly path: string;
  readonly checksum: Checksum;
  readonly size: number;
  /** The name of the section that lists it, as used in by-hash paths. */
  readonly digest: string;
}

export interface Release {
  /** Whether indices are also available by their digest. If so, apt requests them that way. */
  readonly byHash: boolean;
  /** Each with its strongest digest. */
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
  const files = new Map<string, ReleaseFile>();
  for (const [digest, algorithm] of SECTIONS) {
    for (const line of fields.get(digest.toLowerCase()) ?? []) {
      const [, value, size, path] = /^(\S+)\s+(\d+)\s+(\S.*)$/.exec(line) ?? [];
      if (value === undefined || path === undefined)
        throw new Error(`${name}: ${digest}: '${line}', expected DIGEST SIZE PATH`);
      if (files.has(path)) continue;
      files.set(path, { path, checksum: toChecksum(algorithm, value, `${name}: ${path}`), size: Number(size), digest });
    }
  }
  return { byHash: fields.get('acquire-by-hash')?.[0]?.toLowerCase() === 'yes', files: [...files.values()] };
};
