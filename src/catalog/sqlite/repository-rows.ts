import type { SQLInputValue } from 'node:sqlite';
import { trimPrefix } from '../prefix.ts';
import type { StoredRepository } from '../stored-repository.ts';
import type { GrownTable } from './grown-table.ts';

// Pulp has no such collection: it keeps a repository's feed in its importer.
const FIRST = {
  prefix: 'TEXT NOT NULL',
  importer_id: 'TEXT NOT NULL',
  format: 'TEXT NOT NULL',
  base: 'TEXT NOT NULL',
  selection: 'TEXT NOT NULL',
  strict: 'INTEGER NOT NULL',
  every: 'INTEGER',
  packages: 'INTEGER NOT NULL',
  metadata: 'INTEGER NOT NULL',
  roots: 'TEXT',
  succeeded: 'REAL NOT NULL',
  attempted: 'REAL NOT NULL',
  problem: 'TEXT',
};
const ADDED = {
  next_try: 'REAL',
  follows: 'INTEGER',
  complete: 'INTEGER',
  keyring: 'TEXT',
  metalink: 'TEXT',
  signature: 'TEXT',
  root_states: 'TEXT',
};

/** `repositories`: what was imported below which prefix. */
export const REPOSITORIES: GrownTable = {
  name: 'repositories',
  first: FIRST,
  key: 'prefix, importer_id',
  added: ADDED,
};

type Row = Record<keyof typeof FIRST | keyof typeof ADDED, SQLInputValue>;

export const toRepository = (row: Record<string, unknown>): StoredRepository => ({
  prefix: String(row.prefix),
  importerId: String(row.importer_id),
  format: String(row.format),
  base: String(row.base),
  selection: JSON.parse(String(row.selection)),
  strict: row.strict === 1,
  ...(row.follows === 1 && { follows: true }),
  ...(row.complete === 1 && { complete: true }),
  ...(row.keyring !== null && { keyring: JSON.parse(String(row.keyring)) }),
  ...(row.metalink !== null && { metalink: String(row.metalink) }),
  ...(row.signature !== null && { signature: JSON.parse(String(row.signature)) }),
  ...(row.every !== null && { every: Number(row.every) }),
  packages: Number(row.packages),
  metadata: Number(row.metadata),
  ...(row.roots !== null && {
    roots: { digests: JSON.parse(String(row.roots)), states: JSON.parse(String(row.root_states ?? '{}')) },
  }),
  succeeded: Number(row.succeeded),
  attempted: Number(row.attempted),
  ...(row.problem !== null && { problem: String(row.problem) }),
  ...(row.next_try !== null && { nextTry: Number(row.next_try) }),
});

export const toRow = (repository: StoredRepository): Row => ({
  prefix: trimPrefix(repository.prefix),
  importer_id: repository.importerId,
  format: repository.format,
  base: repository.base,
  selection: JSON.stringify(repository.selection),
  strict: Number(repository.strict),
  every: repository.every ?? null,
  packages: repository.packages,
  metadata: repository.metadata,
  roots: repository.roots ? JSON.stringify(repository.roots.digests) : null,
  succeeded: repository.succeeded,
  attempted: repository.attempted,
  problem: repository.problem ?? null,
  next_try: repository.nextTry ?? null,
  follows: Number(repository.follows ?? false),
  complete: Number(repository.complete ?? false),
  keyring: repository.keyring ? JSON.stringify(repository.keyring) : null,
  metalink: repository.metalink ?? null,
  signature: repository.signature ? JSON.stringify(repository.signature) : null,
  root_states: repository.roots ? JSON.stringify(repository.roots.states) : null,
});
