import { hash } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { CHECKSUM_ALGORITHMS, type Checksum, type Header } from '../../../pipelines/model/index.ts';
import type { Copy } from './copy.ts';
import { unlessMissing } from './files.ts';

/** The header fields that describe the content, not the response (RFC 9110 section 8). */
const FIELDS: ReadonlySet<string> = new Set([
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
  ...['etag', 'last-modified'],
]);

export const contentFields = (headers: readonly Header[]): readonly Header[] =>
  headers.filter(([name]) => FIELDS.has(name.toLowerCase()));

// The name of a copy has at most one dot, so it cannot end like this.
const ENDING = '.meta.json';

/** The sidecar of a copy: a file with the content's header fields from its first transfer. */
export const sidecarOf = (path: string): string => path + ENDING;
export const isSidecar = (path: string): boolean => path.endsWith(ENDING);
/** The copy that a sidecar belongs to. */
export const copyOf = (sidecar: string): string => sidecar.slice(0, -ENDING.length);

/**
 * The layout. `sum` is the SHA-256 of `about` as JSON, which reveals damage. `about.checksum` is
 * that of the content, so a sidecar never applies to other content. `about` may contain more
 * fields.
 */
const VERSION = 1;

const schema = z.object({
  version: z.literal(VERSION),
  sum: z.string(),
  about: z.object({
    checksum: z.object({ algorithm: z.string(), value: z.string() }),
    headers: z.array(z.tuple([z.string(), z.string()])),
  }),
});

const sumOf = (about: unknown): string => hash('sha256', JSON.stringify(about), 'hex');

export const sidecarText = ({ algorithm, value }: Checksum, headers: readonly Header[]): string => {
  const about = { checksum: { algorithm, value }, headers: contentFields(headers) };
  return `${JSON.stringify({ version: VERSION, sum: sumOf(about), about })}\n`;
};

/**
 * The header fields of a copy. `undefined` if it has no sidecar, like copies of earlier versions.
 * `'damaged'` if the sidecar was altered or belongs to other content. Rejects with the system's
 * error.
 */
export const readSidecar = async ({
  path,
  checksum,
}: Pick<Copy, 'path' | 'checksum'>): Promise<readonly Header[] | 'damaged' | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  return text === undefined ? undefined : (headersIn(text, checksum) ?? 'damaged');
};

/** The checksum that a copy must match. Absent if its sidecar is missing or damaged. */
export const sidecarChecksum = async (path: string): Promise<Checksum | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  const { algorithm: name, value } = (text !== undefined && aboutIn(text)?.checksum) || {};
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === name);
  return algorithm && value !== undefined ? { algorithm, value } : undefined;
};

/** Removes a copy, then its sidecar. If killed in between, it leaves a sidecar without effect. */
export const removeCopy = async (path: string): Promise<void> => {
  await unlink(path);
  await unlessMissing(unlink(sidecarOf(path)));
};

const headersIn = (text: string, { algorithm, value }: Checksum): readonly Header[] | undefined => {
  const about = aboutIn(text);
  const isOwn = about?.checksum.algorithm === algorithm && about.checksum.value === value;
  return isOwn ? contentFields(about.headers) : undefined;
};

/** The content of an undamaged sidecar. */
const aboutIn = (text: string): z.infer<typeof schema>['about'] | undefined => {
  try {
    const written = JSON.parse(text);
    const { sum, about } = schema.parse(written);
    return sum === sumOf(written.about) ? about : undefined;
  } catch {
    return undefined;
  }
};
