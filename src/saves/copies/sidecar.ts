import { hash } from 'node:crypto';
import { readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { type BlockSums, CHECKSUM_ALGORITHMS, type Checksum, type Header } from '../../../pipelines/model/index.ts';
import { BLOCK } from '../../lib/block-sums.ts';
import { isRecord } from '../../lib/record.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';
import { writeNew } from './files.ts';

/** The header fields that describe the content, not the response (RFC 9110 section 8). */
const FIELDS: ReadonlySet<string> = new Set([
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
  ...['etag', 'last-modified'],
]);

export const contentFields = (headers: readonly Header[]): readonly Header[] =>
  headers.filter(([name]) => FIELDS.has(name.toLowerCase()));

// The name of a copy has at most one dot, so it cannot end like this.
const ENDING = '.meta.json';

/**
 * The sidecar of a copy: a file with the content's header fields from its first transfer, and the
 * sums of its blocks.
 */
export const sidecarOf = (path: string): string => path + ENDING;
export const isSidecar = (path: string): boolean => path.endsWith(ENDING);
/** The copy that a sidecar belongs to. */
export const copyOf = (sidecar: string): string => sidecar.slice(0, -ENDING.length);

/**
 * The layout. `sum` is the SHA-256 of `about` as JSON, which reveals damage. `about.checksum` is
 * that of the content, so a sidecar never applies to other content. `about` may contain more
 * fields; earlier versions wrote no `blocks`.
 */
const VERSION = 1;

interface About {
  readonly checksum: { readonly algorithm: string; readonly value: string };
  readonly headers: readonly Header[];
  readonly blocks?: {
    /** Bytes of a block. */
    readonly size: number;
    /** Bytes of the content. */
    readonly length: number;
    /** The copy's time in nanoseconds. Its sums do not apply to a file that was changed. */
    readonly modified: string;
    /** The CRC-32 of each block in little-endian bytes, in base64. */
    readonly crc32: string;
  };
  /** The copy in an object store. */
  readonly object?: StoredAs;
}

/** The object that the sums belong to. */
export interface StoredAs {
  readonly name: string;
  /** The tag of its state. */
  readonly etag: string;
}

const sumOf = (about: unknown): string => hash('sha256', JSON.stringify(about), 'hex');

/** The content of a sidecar. */
export interface Described {
  readonly headers: readonly Header[];
  /** Absent in sidecars of earlier versions. */
  readonly blocks?: BlockSums;
  /** The time of the file that the sums belong to. */
  readonly modified?: bigint;
}

/** The content of a sidecar, and the checksum that the copy must match. */
export interface Description extends Described {
  readonly checksum: Checksum;
  /** The object that the sums belong to, in an object store. */
  readonly object?: StoredAs;
}

export const sidecarText = (
  { algorithm, value }: Checksum,
  { headers, blocks, modified, object }: Required<Described> & Pick<Description, 'object'>,
): string => {
  const about: About = {
    checksum: { algorithm, value },
    headers: contentFields(headers).map(([name, value]) => [name, value]),
    blocks: { size: BLOCK, length: blocks.length, modified: String(modified), crc32: toText(blocks.crc32) },
    ...(object && { object: { name: object.name, etag: object.etag } }),
  };
  return `${JSON.stringify({ version: VERSION, sum: sumOf(about), about })}\n`;
};

/**
 * The content of a copy's sidecar. `undefined` if it has none, like copies of earlier versions.
 * `'damaged'` if the sidecar was altered or belongs to other content. Rejects with the system's
 * error.
 */
export const readSidecar = async ({
  path,
  checksum,
}: Pick<Copy, 'path' | 'checksum'>): Promise<Described | 'damaged' | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  return text === undefined ? undefined : (describedIn(text, checksum) ?? 'damaged');
};

/** The checksum that a copy must match. Absent if its sidecar is missing or damaged. */
export const sidecarChecksum = async (path: string): Promise<Checksum | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  return text === undefined ? undefined : descriptionIn(text)?.checksum;
};

/**
 * Writes or replaces a sidecar, with the time of the copy's last use. `partial` is a new file on
 * the same file system.
 */
export const replaceSidecar = async (path: string, partial: string, text: string): Promise<void> => {
  const { atime, mtime } = (await unlessMissing(stat(sidecarOf(path)))) ?? (await lastUseOf(path));
  await writeNew(partial, text, true);
  await utimes(partial, atime, mtime);
  await rename(partial, sidecarOf(path));
};

/** The kernel may know it. */
const lastUseOf = async (path: string) => {
  const { atime } = await stat(path);
  return { atime, mtime: atime };
};

/** Removes a copy, then its sidecar. If killed in between, it leaves a sidecar without effect. */
export const removeCopy = async (path: string): Promise<void> => {
  await unlink(path);
  await unlessMissing(unlink(sidecarOf(path)));
};

const describedIn = (text: string, { algorithm, value }: Checksum): Described | undefined => {
  const { checksum, ...described } = descriptionIn(text) ?? {};
  return checksum?.algorithm === algorithm && checksum.value === value ? (described as Described) : undefined;
};

/** What a sidecar says, with the checksum that it belongs to. `undefined` if it is damaged. */
export const descriptionIn = (text: string): Description | undefined => {
  const about = aboutIn(text);
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === about?.checksum.algorithm);
  if (!about || !algorithm) return undefined;
  const checksum = { algorithm, value: about.checksum.value };
  const headers = contentFields(about.headers);
  const { size, length = 0, modified = '', crc32: sums = '' } = about.blocks ?? {};
  const crc32 = fromText(sums);
  const usable = size === BLOCK && crc32.length === Math.ceil(length / BLOCK) && /^\d+$/.test(modified);
  const { object } = about;
  return {
    ...{ checksum, headers },
    ...(usable && { blocks: { length, crc32 }, modified: BigInt(modified) }),
    ...(object && { object }),
  };
};

const toText = (sums: Uint32Array): string => {
  const bytes = Buffer.alloc(sums.length * 4);
  for (const [at, sum] of sums.entries()) bytes.writeUInt32LE(sum, at * 4);
  return bytes.toString('base64');
};

const fromText = (text: string): Uint32Array => {
  const bytes = Buffer.from(text, 'base64');
  return Uint32Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readUInt32LE(at * 4));
};

/** The content of an undamaged sidecar. Its sum is right, but another program may have written it. */
const aboutIn = (text: string): About | undefined => {
  try {
    const { version, sum, about } = JSON.parse(text);
    return version === VERSION && sum === sumOf(about) && isAbout(about) ? about : undefined;
  } catch {
    return undefined;
  }
};

const isAbout = (value: unknown): value is About =>
  isRecord(value) &&
  isRecord(value.checksum) &&
  areTexts([value.checksum.algorithm, value.checksum.value]) &&
  Array.isArray(value.headers) &&
  value.headers.every((header) => Array.isArray(header) && header.length === 2 && header.every(isFieldText)) &&
  (value.blocks === undefined || isBlocks(value.blocks)) &&
  (value.object === undefined || (isRecord(value.object) && areTexts([value.object.name, value.object.etag])));

const isBlocks = (value: unknown): boolean =>
  isRecord(value) &&
  Number.isSafeInteger(value.length) &&
  Number(value.length) >= 0 &&
  areTexts([value.modified, value.crc32]);

/** As a field of HTTP can contain it (RFC 9110 section 5.5). */
const isFieldText = (text: unknown): boolean => typeof text === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(text);

const areTexts = (values: readonly unknown[]): boolean => values.every((one) => typeof one === 'string');
