import { DatabaseSync } from 'node:sqlite';
import { unkept } from '../history.ts';
import { trimPrefix } from '../prefix.ts';
import type { Published, PublishOptions, Staging } from '../publication.ts';
import { COLUMNS, type EntryRow, toEntry as ofRow } from '../sqlite/rows.ts';
import { makeStaged, type Staged } from '../sqlite/staged.ts';
import { below, newestRevision } from './counting.ts';
import { idOf, toDocument } from './documents.ts';
import { pruneIfDue } from './history.ts';
import { inBatches } from './in-batches.ts';
import { type Others, readOthers } from './others.ts';
import { startRecording } from './recording.ts';
import { documentOf, repositoriesOf, repositoryOf } from './repository-documents.ts';
import type { Session } from './session.ts';
import { type Change, type Outcome, wasLabelled } from './writer.ts';

/** Writes the staged entries in batches, each once the one before is written. Returns their number. */
const insertStaged = async (
  { entries, gen, hold }: Change,
  database: DatabaseSync,
  staged: Staged,
  others: Others,
  own: { readonly revision?: number; readonly prefix?: string },
): Promise<number> => {
  const rows = database.prepare(staged.first(`${COLUMNS}, unit_key`)).iterate();
  let number = others.copies.length;
  for await (const batch of inBatches(rows)) {
    const documents = batch.map((row) => {
      const entry = ofRow(row as unknown as EntryRow);
      const replaced = entry.replaced || others.isReplaced(entry.path);
      const document = toDocument(idOf(gen, number++), gen, { ...entry, ...own, ...(replaced && { replaced }) });
      return typeof row.unit_key === 'string' ? { ...document, unit_key: row.unit_key } : document;
    });
    await entries.insertMany(documents, { ordered: false });
    await hold();
  }
  if (others.copies.length > 0) await entries.insertMany([...others.copies], { ordered: false });
  return number - others.copies.length;
};

/** Marks what else counts at paths that have, or had, other content: it may become the newest again later. */
const markReplaced = async ({ entries, hold }: Change, others: Others): Promise<void> => {
  for await (const paths of inBatches(others.replacedPaths())) {
    await entries.updateMany({ path: { $in: paths } }, { $set: { replaced: true } });
    await hold();
  }
};

const publishRevision = async (
  change: Change,
  database: DatabaseSync,
  staged: Staged,
  importerId: string,
  prefix: string,
  { permit, grace, repository, keeping = unkept() }: PublishOptions,
): Promise<{ readonly result: Published; readonly outcome: Outcome }> => {
  const { view, gen, repositories } = change;
  const own = trimPrefix(prefix);
  const key = { prefix: own, importerId };
  permit?.(await repositoriesOf(change, view));
  const recording = await startRecording({ change, database, staged, key, keeping });
  const revision = Math.max(await newestRevision(change, view, prefix, importerId), recording.newest) + 1;
  const others = await readOthers(change, database, staged, { ...key, recording, ...(grace && { grace }) });
  const added = await insertStaged(change, database, staged, others, { revision, prefix: own });
  await markReplaced(change, others);
  const result = { revision, added, removed: others.removed };
  const before = await repositoryOf(change, view, key);
  const after = repository ? repository(result, before) : before;
  if (after) await repositories.insertOne(documentOf(after, gen));
  await recording.finish(revision, after ?? { packages: added, metadata: 0 });
  const isOwn = (one: { readonly importer_id: string; readonly prefix: string }) =>
    one.importer_id === importerId && one.prefix === own;
  return {
    result,
    outcome: {
      // What a label names would be forgotten without anything noted.
      unlessLabelled: !recording.isOn,
      published: [
        ...view.head.published.filter((one) => !isOwn(one)),
        { importer_id: importerId, prefix: own, gen, revision },
      ],
      retired: others.generations.map((old) => ({ importer_id: importerId, prefix: own, gen: old })),
    },
  };
};

/**
 * A file of this process holds the entries, so an import that fails has written nothing to the
 * database. Publishing writes them with a new generation, which counts from one moment on.
 */
export const makeSharedStaging = (session: Session): Staging => {
  const { asking, change } = session;
  // Without a name, SQLite makes a temporary file.
  const database = new DatabaseSync('');
  const staged = makeStaged(database);
  let isOpen = true;
  const discard = (): void => {
    if (isOpen) database.close();
    isOpen = false;
  };
  return {
    write: staged.write,
    conflicts: staged.conflicts,
    discard,
    yieldOutside: (importerId, prefix) =>
      asking(async ({ entries }, view) => {
        const own = trimPrefix(prefix);
        const { $gte, $lt } = below(prefix);
        const outside = database.prepare(`SELECT path FROM ${staged.table} WHERE NOT (path >= ? AND path < ?)`);
        const remove = database.prepare(`DELETE FROM ${staged.table} WHERE path = ? RETURNING path`);
        const yielded: string[] = [];
        const paths = outside.all($gte, $lt).map(({ path }) => String(path));
        for await (const batch of inBatches(new Set(paths))) {
          const found = (await entries.find({ path: { $in: batch } }).toArray()).filter(view.counts);
          const theirs = found.filter((one) => one.importer_id !== importerId || one.prefix !== own);
          for (const path of new Set(theirs.map((one) => one.path)))
            yielded.push(...remove.all(path).map((row) => String(row.path)));
        }
        return yielded;
      }),
    publishRevision: async (importerId, prefix, options = {}) => {
      staged.indexByPath();
      const publish = () => change((one) => publishRevision(one, database, staged, importerId, prefix, options));
      const published = await publish().catch((error: unknown) => {
        if (wasLabelled(error)) return publish();
        throw error;
      });
      discard();
      // Only what no longer counts: the next revision does it, if this process ends before.
      await pruneIfDue(session, { prefix: trimPrefix(prefix), importerId }, options.keeping ?? unkept());
      return published;
    },
    publishAsIs: async () => {
      staged.indexByPath();
      const added = await change(async (one) => {
        const others = await readOthers(one, database, staged);
        const result = await insertStaged(one, database, staged, others, {});
        await markReplaced(one, others);
        return {
          result: { count: result, superseded: others.superseded },
          outcome: { loads: [...one.view.head.loads, one.gen] },
        };
      });
      discard();
      await asking(async ({ entries }) => {
        for await (const ids of inBatches(added.superseded)) await entries.deleteMany({ _id: { $in: ids } });
      });
      return added.count;
    },
  };
};
