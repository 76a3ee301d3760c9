import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Keeping, KeptRevision } from '../history.ts';
import type { Staged } from '../sqlite/staged.ts';
import type { RepositoryKey, StoredRepository } from '../stored-repository.ts';
import { below } from './counting.ts';
import { makeHistory } from './database.ts';
import type { EntryDocument } from './documents.ts';
import type { BeforeDocument } from './history-documents.ts';
import { BATCH, inBatches } from './in-batches.ts';
import { forgetLabels, idOfRevision, labelsOf, ofKey, removeForgotten, revisionsOf } from './kept-revisions.ts';
import type { Change } from './writer.ts';

/** Notes what a revision changes, while the entries before it are read. */
export interface Recording {
  /** The newest revision that is kept; 0 if there is none. */
  readonly newest: number;
  /** Whether it notes anything: otherwise earlier revisions are forgotten. */
  readonly isOn: boolean;
  /** Takes an entry that the last revision had. */
  see(document: EntryDocument): void;
  /** Writes what was noted, once that is enough. */
  flush(): Promise<void>;
  /** Call it once all entries were seen, with the number of the new revision. */
  finish(revision: number, counts: Pick<StoredRepository, 'packages' | 'metadata'>): Promise<void>;
}

interface Parts {
  readonly change: Change;
  readonly database: DatabaseSync;
  readonly staged: Staged;
  readonly key: RepositoryKey;
  readonly keeping: Keeping;
}

type Row = Record<'checksum' | 'checksum_algorithm' | 'size' | 'url' | 'unit_id', string | number | null>;

export const startRecording = async ({ change, database, staged, key, keeping }: Parts): Promise<Recording> => {
  const { view, gen, revisions, before, hold } = change;
  const { table, byPath } = staged;
  await makeHistory(change);
  const kept: readonly KeptRevision[] = await revisionsOf(change, view, ofKey(key));
  const present = kept.at(-1);
  const isOurs = (await labelsOf(change, key.prefix)).some(({ importerId }) => importerId === key.importerId);
  // An earlier version of this program may have published a revision, of which nothing was noted.
  const isNoted = present !== undefined && present.revision === view.publicationOf(key)?.revision;
  const isOn = (keeping.seconds > 0 || isOurs) && isNoted;
  const newest = present?.revision ?? 0;
  if (present && !isNoted) await forgetLabels(change, key);
  await removeForgotten(change, key, kept);

  // It may be the second try.
  database.exec('DROP TABLE IF EXISTS seen; CREATE TABLE seen (path TEXT PRIMARY KEY) WITHOUT ROWID');
  const note = database.prepare('INSERT OR IGNORE INTO seen VALUES (?)');
  // Of repeated entries, the first one counts.
  const first = database.prepare(
    `SELECT checksum, checksum_algorithm, size, url, unit_id FROM ${table} INDEXED BY ${byPath}
     WHERE path = ? ORDER BY id LIMIT 1`,
  );
  const isSame = (document: EntryDocument): boolean => {
    const row = first.get(document.path) as Row | undefined;
    const same = (name: keyof Row) => (document[name] ?? null) === row?.[name];
    return row !== undefined && (['checksum', 'checksum_algorithm', 'size', 'url', 'unit_id'] as const).every(same);
  };
  const until = Math.max(newest, view.publicationOf(key)?.revision ?? 0) + 1;
  const placed = (path: string): BeforeDocument => ({ _id: randomUUID(), path, until, ...ofKey(key) });
  let batch: BeforeDocument[] = [];
  const write = async () => {
    if (batch.length > 0) await before.insertMany(batch, { ordered: false });
    batch = [];
    await hold();
  };

  return {
    newest,
    isOn,
    see: (document) => {
      if (!isOn || document.gone_since !== undefined) return;
      note.run(document.path);
      if (isSame(document)) return;
      const { _id, gen: _gen, age: _age, ...entry } = document;
      batch.push({ ...entry, ...placed(document.path) });
    },
    flush: async () => {
      if (batch.length >= BATCH) await write();
    },
    finish: async (revision, { packages, metadata }) => {
      if (isOn) {
        const { $gte, $lt } = below(key.prefix);
        const added = database
          .prepare(
            `SELECT DISTINCT path FROM ${table} WHERE path >= ? AND path < ? AND path NOT IN (SELECT path FROM seen)`,
          )
          .iterate($gte, $lt);
        for await (const rows of inBatches(added)) {
          batch.push(...rows.map(({ path }) => placed(String(path))));
          await write();
        }
        await write();
      }
      const own = { ...key, revision };
      await revisions.insertOne({
        _id: idOfRevision(own, gen),
        ...{ gen, ...ofKey(key), revision, published: keeping.now, packages, metadata },
        starts: !isOn,
      });
    },
  };
};
