import type { KeptRevision, Label } from '../catalog/history.ts';
import type { Listing } from '../catalog/listing.ts';
import type { RepositoryKey, StoredRepository } from '../catalog/stored-repository.ts';
import { isCarried } from '../lib/carried.ts';
import { maskUrl } from '../lib/mask.ts';
import { counted } from './counted.ts';
import { row } from './one-line.ts';

export const toDate = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** What is kept of a repository's revisions. */
export interface Kept {
  readonly revisions: readonly KeptRevision[];
  readonly labels: readonly Label[];
}

const NOTHING: Kept = { revisions: [], labels: [] };

/** Finds what is kept of each repository. */
export const keptOf = async ({ history }: Listing): Promise<(of: RepositoryKey) => Kept> => {
  const [revisions, labels] = [(await history?.revisions()) ?? [], (await history?.labels()) ?? []];
  const isOf = (key: RepositoryKey) => (one: RepositoryKey) =>
    one.prefix === key.prefix && one.importerId === key.importerId;
  return (key) => ({ revisions: revisions.filter(isOf(key)), labels: labels.filter(isOf(key)) });
};

/** A repository as commands show it; the secrets in its URL are masked. */
export const toPlainRepository = (repository: StoredRepository, { revisions, labels } = NOTHING) => {
  const { prefix, format, base, selection, importerId, packages, metadata, succeeded, every, problem } = repository;
  const { nextTry, follows } = repository;
  return {
    prefix: prefix || '/',
    format,
    feed: maskUrl(base),
    ...(Object.keys(selection).length > 0 && { selection }),
    importer: importerId,
    packages,
    metadata,
    signedBy: repository.signature?.signers ?? [],
    ...(repository.keyring && { keyring: repository.keyring.file }),
    ...(follows && { follows }),
    ...(succeeded > 0 && { refreshed: toDate(succeeded) }),
    ...(every !== undefined && { every, due: toDate(succeeded + every) }),
    ...(problem !== undefined && { failed: toDate(repository.attempted), error: maskUrl(problem) }),
    ...(nextTry !== undefined && { retry: toDate(nextTry) }),
    ...(revisions.length > 1 && { revisions: revisions.map(({ revision }) => revision) }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels.map(({ name, revision }) => [name, revision])) }),
  };
};

const describeSigners = ({ signature, keyring }: StoredRepository): string => {
  if (signature) return `signed by ${signature.signers.map(({ name, key }) => `${name} (key ${key})`).join(', ')}`;
  return keyring ? 'no signature checked yet' : 'unsigned';
};

/** Of a tree without metadata, and of a repository that was never read, nothing is known. */
const describeState = ({ format, succeeded, problem }: StoredRepository): readonly [string, string] => {
  const isRead = succeeded > 0;
  if (format === 'raw') return ['no metadata', '-'];
  return [
    isRead ? `as of ${toDate(succeeded)}` : 'not read yet',
    problem === undefined ? (isRead ? 'well' : '-') : `failed: ${maskUrl(problem)}`,
  ];
};

/** Earlier revisions that clients can ask for, and labels; nothing if there are none. */
const describeKept = ({ revisions, labels }: Kept): readonly string[] => {
  const earlier = revisions.filter(({ superseded }) => superseded !== undefined);
  const names = labels.map(({ name, revision }) => `${name} is ${revision}`);
  const all = [...(earlier.length > 0 ? [counted(earlier.length, 'earlier revision')] : []), ...names];
  return all.length > 0 ? [all.join(', ')] : [];
};

/** `1 package and 2 metadata files`. */
export const countedFiles = (packages: number, metadata: number): string =>
  `${counted(packages, 'package')} and ${counted(metadata, 'metadata file')}`;

/** The same on one line. */
export const describeRepository = (repository: StoredRepository, kept = NOTHING): string => {
  const { prefix, format, feed, packages, metadata, due, retry, follows } = toPlainRepository(repository);
  const planned = retry === undefined ? due && `next before ${due}` : `next try ${retry}`;
  const unplanned = isCarried(feed) ? 'changed by bundles' : 'refreshed on request';
  const next = planned ?? (follows ? 'follows its feed' : unplanned);
  const [state, health] = describeState(repository);
  return row([
    ...[`${prefix.replace(/\/$/, '')}/`, format, feed, countedFiles(packages, metadata)],
    ...[state, next, health, describeSigners(repository), ...describeKept(kept)],
  ]);
};
