import { z } from 'zod';
import { CHECKSUM_ALGORITHMS, type Checksum } from '../../../pipelines/model/index.ts';
import { withoutDots } from '../../../pipelines/model/spelling.ts';
import { trimPrefix } from '../../catalog/prefix.ts';
import type { NewEntry, StoredEntry } from '../../catalog/stored-entry.ts';
import { carriedUrl } from '../../lib/carried.ts';
import { BOUNDS } from '../../repositories/bounds.ts';
import { toChecksum } from '../../repositories/checksum.ts';
import type { UnitKey } from '../../repositories/unit.ts';
import { parsed } from '../backup/parsed.ts';

/** The list of repositories in a bundle. */
export const REPOSITORIES = 'repositories.json';
/** Repositories of one bundle. */
export const MOST_REPOSITORIES = 1_000;

export const entriesName = (index: number): string => `entries/${index}.jsonl`;
export const isEntriesName = (name: string): boolean => /^entries\/\d{1,4}\.jsonl$/.test(name);

/** A file in a bundle is named by its content, so that it is there once. */
export const fileName = ({ algorithm, value }: Checksum): string => `files/${algorithm}-${value}`;

/** The checksum that a file of a bundle must have; `undefined` if the name is none of a file. */
export const checksumIn = (name: string): Checksum | undefined => {
  const [, algorithm, value = ''] = /^files\/([a-z0-9]+)-([0-9a-f]{32,128})$/.exec(name) ?? [];
  const known = CHECKSUM_ALGORITHMS.find((one) => one === algorithm);
  return known && toChecksum(known, value);
};

const number = z.number().int().nonnegative();
const text = z.string().min(1).max(BOUNDS.path);
/** A line break would begin another field in what is written for apt or dnf. */
const plain = text.regex(/^\P{Cc}*$/u, 'expected no control characters');
const path = plain.startsWith('/');
/** Unix seconds of the last day of the year 9999: later ones have no common form. */
const LAST_DAY = 253_402_214_400;

/** A repository as a bundle carries it: without credentials, keys and the state of its feed. */
const RepositoryShape = z.object({
  prefix: z.union([z.literal(''), path.refine((one) => trimPrefix(one) === one && withoutDots(one) === one)]),
  format: z.enum(['yum', 'deb', 'files']),
  feed: plain,
  selection: z.object({
    suites: z.array(plain).max(MOST_REPOSITORIES).optional(),
    components: z.array(plain).max(MOST_REPOSITORIES).optional(),
    architectures: z.array(plain).max(MOST_REPOSITORIES).optional(),
    lists: z.array(plain).max(MOST_REPOSITORIES).optional(),
  }),
  /** When its feed last had this revision, in Unix seconds. */
  succeeded: z.number().nonnegative().max(LAST_DAY),
  entries: z.string().refine(isEntriesName),
});
export type CarriedRepository = z.infer<typeof RepositoryShape>;

const RepositoriesShape = z.array(RepositoryShape).max(MOST_REPOSITORIES);

const EntryShape = z.object({
  path,
  unit_id: text,
  unit_type_id: text,
  unit_key: z.record(text, z.union([z.string(), z.number()])).optional(),
  url: text,
  checksum: text,
  checksum_algorithm: z.enum(CHECKSUM_ALGORITHMS),
  size: number,
});

export const repositoriesIn = (json: string): readonly CarriedRepository[] => {
  const repositories = parsed(REPOSITORIES, RepositoriesShape, json);
  const prefixes = new Set(repositories.map(({ prefix }) => prefix));
  if (prefixes.size !== repositories.length) throw new Error(`${REPOSITORIES}: has a prefix twice`);
  return repositories;
};

/** An entry whose file the bundle carries, or one that it builds on. */
export type CarriedEntry = NewEntry & Required<Pick<NewEntry, 'checksum' | 'size'>>;

export const entryLine = (
  { path, unitId, unitTypeId, url }: StoredEntry,
  { algorithm, value }: Checksum,
  size: number,
  unitKey: UnitKey | undefined,
): string =>
  JSON.stringify({
    ...{ path, unit_id: unitId, unit_type_id: unitTypeId, unit_key: unitKey, url },
    ...{ checksum: value, checksum_algorithm: algorithm, size },
  });

/** An entry of a repository. Its URL leads nowhere. Throws if it would be outside of its prefix. */
export const entryIn = (name: string, json: string, prefix: string): Omit<CarriedEntry, 'importerId'> => {
  const { unit_key: unitKey, ...line } = parsed(name, EntryShape, json);
  const path = withoutDots(line.path);
  if (!path.startsWith(`${prefix}/`) || path === `${prefix}/`)
    throw new Error(`${name}: ${line.path} is not below the prefix ${prefix || '/'} of its repository`);
  return {
    ...{ path, unitId: line.unit_id, unitTypeId: line.unit_type_id, url: carriedUrl(line.url), size: line.size },
    ...(unitKey && { unitKey }),
    checksum: toChecksum(line.checksum_algorithm, line.checksum),
    ...{ revision: 0, data: {} },
  };
};
