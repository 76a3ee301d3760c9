import { z } from 'zod';
import { CHECKSUM_ALGORITHMS } from '../../pipelines/model/entry.ts';
import { withoutDots } from '../../pipelines/model/spelling.ts';
import { messageOf } from '../lib/thrown.ts';
import { parseUrl } from '../lib/url.ts';
import { BoundExceeded } from '../repositories/bounds.ts';
import { toChecksum } from '../repositories/checksum.ts';
import { parseJson } from '../repositories/json.ts';
import { readLines } from '../repositories/lines.ts';
import type { CatalogStore } from './store.ts';
import type { NewEntry } from './stored-entry.ts';

const isFeedUrl = (url: string): boolean => /^(https?|file):$/.test(parseUrl(url)?.protocol ?? '');

/** Written by `catalog export` in place of userinfo or a query. */
const isMasked = (url: string): boolean => /^\w+:\/\/\*\*\*@|\?\*\*\*$|[;&](policy|signature)=\*\*\*/.test(url);

const size = z.number().int().nonnegative();
const text = z.string().min(1);

/** One line: the fields of Pulp's `lazy_content_catalog`. Others, such as `_ns`, are ignored. */
const schema = z
  .object({
    path: z
      .string()
      .startsWith('/', 'expected a path that begins with /')
      .regex(/^\P{Cc}*$/u, 'expected no control characters')
      .transform(withoutDots),
    importer_id: z.string().regex(/^[0-9a-f]{24}$/, 'expected 24 hexadecimal digits'),
    unit_id: text,
    unit_type_id: text,
    url: z
      .string()
      .refine(isFeedUrl, 'expected a URL of http, https or file')
      .refine((url) => !isMasked(url), 'its secrets are masked (export with --secrets)'),
    checksum: text.nullish(),
    checksum_algorithm: z.enum(CHECKSUM_ALGORITHMS).nullish(),
    revision: z.number().int().nonnegative(),
    data: z.record(z.string(), z.unknown()).nullish(),
    size: size.nullish(),
    prefix: z.string().nullish(),
    replaced: z.boolean().nullish(),
    _id: z.unknown().optional(),
  })
  .refine(
    (line) => (line.checksum ?? undefined) === undefined || (line.checksum_algorithm ?? undefined) !== undefined,
    { path: ['checksum_algorithm'], message: 'required with checksum' },
  );

const toObject = (line: string): unknown => {
  try {
    return parseJson('JSON', line);
  } catch (error) {
    if (error instanceof BoundExceeded) throw error;
    throw new Error('not JSON, expected one object per line');
  }
};

/** What is wrong with a value, for those who wrote it. Other problems have their own words. */
const plainly = ({
  code,
  input,
  expected,
}: {
  code: string;
  input?: unknown;
  expected?: string;
}): string | undefined =>
  code === 'invalid_type'
    ? `${input === undefined ? 'missing, ' : ''}expected ${expected === 'object' ? 'an' : 'a'} ${expected}`
    : undefined;

/** Parses one line. Throws an error that names the invalid fields. */
const parseLine = (line: string): NewEntry => {
  const parsed = schema.safeParse(toObject(line), { error: plainly });
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; '));
  }
  const { path, importer_id, unit_id, unit_type_id, url, checksum, checksum_algorithm, revision, data } = parsed.data;
  // A line with an `_id` comes from Pulp's database. There, only the revision shows a replacement.
  const replaced = parsed.data.replaced ?? (parsed.data._id !== undefined && revision > 1);
  return {
    path,
    importerId: importer_id,
    unitId: unit_id,
    unitTypeId: unit_type_id,
    url,
    ...(checksum && checksum_algorithm && { checksum: toChecksum(checksum_algorithm, checksum) }),
    ...(typeof parsed.data.size === 'number' && { size: parsed.data.size }),
    revision,
    data: data ?? {},
    ...(typeof parsed.data.prefix === 'string' && { prefix: parsed.data.prefix }),
    ...(replaced && { replaced }),
  };
};

const SHOWN_FAULTS = 20;

/**
 * Loads entries from lines of JSON. They replace entries with the same path, importer and revision.
 * Resolves to the number of entries. All or nothing: on any bad line the catalog stays unchanged.
 * The rejection lists the first twenty bad lines by number.
 */
export const loadLines = async (
  catalog: CatalogStore,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<number> => {
  const faults: string[] = [];
  let number = 0;
  let count = 0;
  const note = (line: number, fault: string): void => {
    count += 1;
    if (count <= SHOWN_FAULTS) faults.push(`${name}: line ${line}: ${fault}`);
  };
  const fail = (): never => {
    const more = count > SHOWN_FAULTS ? [`… and ${count - SHOWN_FAULTS} more`] : [];
    throw new Error(['nothing was loaded:', ...faults, ...more].join('\n'));
  };
  const staging = await catalog.entries.stage();
  try {
    for await (const lines of readLines(name, bytes)) {
      const entries: NewEntry[] = [];
      for (const line of lines) {
        number += 1;
        try {
          entries.push(parseLine(line));
        } catch (error) {
          note(number, messageOf(error));
        }
      }
      // After a bad line nothing is published, but the remaining lines are still checked.
      if (count === 0) await staging.write(entries);
    }
    if (count > 0) fail();
    for (const { first, second } of (await staging.conflicts()).shown) {
      note(second, `conflicts with line ${first}: same path, importer_id and revision, other content`);
    }
    if (count > 0) fail();
    return await staging.publishAsIs();
  } finally {
    await staging.discard();
  }
};
