import { hash } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { z } from 'zod';
import { CHECKSUM_ALGORITHMS, type Checksum, type Header } from '../../../pipelines/model/index.ts';
import type { Copy } from './copy.ts';
import { unlessMissing } from './files.ts';

/** The header fields that describe the content itself, not the response that it came in (RFC 9110 section 8). */
const FIELDS: ReadonlySet<string> = new Set([
  ...['content-type', 'content-encoding', 'content-language', 'content-disposition'],
  ...['etag', 'last-modified'],
]);

export const contentFields = (headers: readonly Header[]): readonly Header[] =>
  headers.filter(([name]) => FIELDS.has(name.toLowerCase()));

// The name of a copy has one dot at most, so that it never ends like this.
const ENDING = '.meta.json';

/** Where it is written what the first transfer of a copy said of the content: beside the copy. */
export const sidecarOf = (path: string): string => path + ENDING;
export const isSidecar = (path: string): boolean => path.endsWith(ENDING);
/** The copy that a sidecar belongs to. */
export const copyOf = (sidecar: string): string => sidecar.slice(0, -ENDING.length);

/**
 * The layout: `sum` is the SHA-256 of `about` as JSON, so that damage is seen; `about.checksum` is that of the content, so that a sidecar
 * never counts for other content than its own. More may be said in `about` in addition.
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
 * The header fields of a copy; `undefined` if it has no sidecar, as copies of earlier versions, `'damaged'` for a sidecar that is not what
 * was written, or is that of other content. Rejects with what the system says.
 */
export const readSidecar = async ({
  path,
  checksum,
}: Pick<Copy, 'path' | 'checksum'>): Promise<readonly Header[] | 'damaged' | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  return text === undefined ? undefined : (headersIn(text, checksum) ?? 'damaged');
};

/** The checksum that the content of a copy must match, as its sidecar states; absent if there is no sidecar or it is damaged. */
export const sidecarChecksum = async (path: string): Promise<Checksum | undefined> => {
  const text = await unlessMissing(readFile(sidecarOf(path), 'utf8'));
  const { algorithm: name, value } = (text !== undefined && aboutIn(text)?.checksum) || {};
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => one === name);
  return algorithm && value !== undefined ? { algorithm, value } : undefined;
};

/** Removes a copy, then its sidecar: a process that is killed between the two leaves nothing but a sidecar that counts for nothing. */
export const removeCopy = async (path: string): Promise<void> => {
  await unlink(path);
  await unlessMissing(unlink(sidecarOf(path)));
};

const headersIn = (text: string, { algorithm, value }: Checksum): readonly Header[] | undefined => {
  const about = aboutIn(text);
  const isOwn = about?.checksum.algorithm === algorithm && about.checksum.value === value;
  return isOwn ? contentFields(about.headers) : undefined;
};

/** What an undamaged sidecar states. */
const aboutIn = (text: string): z.infer<typeof schema>['about'] | undefined => {
  try {
    const written = JSON.parse(text);
    const { sum, about } = schema.parse(written);
    return sum === sumOf(written.about) ? about : undefined;
  } catch {
    return undefined;
  }
};
