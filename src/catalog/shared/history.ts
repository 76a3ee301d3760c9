import type { Child } from '../../../pipelines/model/index.ts';
import { childOf, hasName, isSame, mergedChildren, rangeAfter } from '../children.ts';
import { type Keeping, type KeptRevision, notKept, type RevisionKey, type StoreHistory } from '../history.ts';
import { trimPrefix } from '../prefix.ts';
import type { StoredEntry } from '../stored-entry.ts';
import type { RepositoryKey } from '../stored-repository.ts';
import { type Collections, PROGRAM } from './database.ts';
import { type EntryDocument, newestFirst, toEntry } from './documents.ts';
import type { BeforeDocument } from './history-documents.ts';
import { removeAll } from './in-batches.ts';
import { labelsOf, ofKey, revisionsOf } from './kept-revisions.ts';
import { readView, type Session } from './session.ts';
import type { View } from './view.ts';
import type { Change } from './writer.ts';

/** The entry of an earlier revision; none if the path was not there. */
export const entryBefore = (document: BeforeDocument): StoredEntry | undefined =>
  document.unit_id === undefined ? undefined : toEntry({ ...document, _id: 0, gen: 0 } as unknown as EntryDocument);

const isKept = async (collections: Collections, view: View, as: RevisionKey): Promise<boolean> =>
  (await revisionsOf(collections, view, ofKey(as))).some(({ revision }) => revision === as.revision);

const findAt = async (
  collections: Collections,
  view: View,
  path: string,
  as: RevisionKey,
): Promise<StoredEntry | undefined> => {
  const { before, entries } = collections;
  const [earlier] = await before
    .find({ path, ...ofKey(as), until: { $gt: as.revision } })
    .sort({ until: 1 })
    .limit(1)
    .toArray();
  const present = earlier ? [] : await entries.find({ path, ...ofKey(as) }).toArray();
  const [now] = present.filter((one) => one.gone_since === undefined && view.counts(one)).sort(newestFirst);
  // What was noted is removed after its revision: if that is still there, nothing was missed.
  if (!(await isKept(collections, view, as))) return undefined;
  return earlier ? entryBefore(earlier) : now && toEntry(now);
};

/** The entries of a range of paths as of a revision, in the order of paths. */
async function* entriesAt(
  { entries, before }: Collections,
  view: View,
  as: RevisionKey,
  [$gte, $lt]: readonly [string, string],
): AsyncGenerator<StoredEntry> {
  const path = { $gte, $lt };
  const noted = before.find({ path, ...ofKey(as), until: { $gt: as.revision } }).sort({ path: 1, until: 1 });
  const present = entries.find({ path, ...ofKey(as) }).sort({ path: 1, _id: -1 });
  let [then, now] = [await noted.next(), await present.next()];
  while (then || now) {
    const isNoted = then !== null && (now === null || then.path <= now.path);
    const at: string = (isNoted ? then : now)?.path ?? '';
    if (isNoted && then) {
      const entry = entryBefore(then);
      if (entry) yield entry;
    } else if (now && now.gone_since === undefined && view.counts(now)) yield toEntry(now);
    while (then?.path === at) then = await noted.next();
    const isDone = isNoted || (now && view.counts(now));
    if (isDone) while (now?.path === at) now = await present.next();
    else now = await present.next();
  }
}

const childrenAt = async (
  collections: Collections,
  view: View,
  folder: string,
  as: RevisionKey,
  after: Child | undefined,
  limit: number,
): Promise<Child[]> => {
  const found: Child[] = [];
  let last = after;
  for (let more = true; more && found.length < limit; ) {
    more = false;
    for await (const entry of entriesAt(collections, view, as, rangeAfter(folder, last))) {
      const child = childOf(folder, entry);
      if (isSame(child, last)) continue;
      last = child;
      if (hasName(child)) found.push(child);
      more = child.isFolder;
      if (more || found.length === limit) break;
    }
  }
  return (await isKept(collections, view, as)) ? found : [];
};

/** Whether a revision is no longer to be kept. */
const isOver =
  (named: ReadonlySet<number>, { now, seconds }: Keeping) =>
  ({ revision, superseded = Number.POSITIVE_INFINITY }: KeptRevision): boolean =>
    superseded <= now - seconds && !named.has(revision);

/** The revisions of a repository that have a label. */
const namedOf = async (collections: Collections, { prefix, importerId }: RepositoryKey): Promise<ReadonlySet<number>> =>
  new Set(
    (await labelsOf(collections, prefix))
      .filter((label) => label.importerId === importerId)
      .map(({ revision }) => revision),
  );

/**
 * Removes what is to be kept no longer of a repository: first a revision, then what was noted for it. A
 * label waits for no change: a revision that gets one at the same time is put back before what was noted
 * for it would go.
 */
export const prune = async (change: Change, key: RepositoryKey, keeping: Keeping): Promise<void> => {
  const { revisions, before, view, hold } = change;
  const all = await revisionsOf(change, view, ofKey(key));
  for (const { revision, superseded } of all)
    if (superseded !== undefined) await revisions.updateOne({ ...ofKey(key), revision }, { $set: { superseded } });
  const over = all.filter(isOver(await namedOf(change, key), keeping));
  const $nin = all.filter((one) => !over.includes(one)).map(({ revision }) => revision);
  // Those that were forgotten, too.
  const going = { ...ofKey(key), gen: { $lte: view.head.version }, revision: { $nin } };
  const gone = await revisions.find(going).toArray();
  await revisions.deleteMany(going);
  const named = await namedOf(change, key);
  const back = over.filter(({ revision }) => named.has(revision));
  for (const one of gone) if (back.some(({ revision }) => revision === one.revision)) await revisions.insertOne(one);
  const kept = all.filter((one) => !over.includes(one) || back.includes(one));
  const [oldest] = kept;
  const end = kept.length > 1 && oldest ? { until: { $lte: oldest.revision } } : {};
  await removeAll<BeforeDocument>(before, { ...ofKey(key), ...end }, hold);
  for (const [at, { revision: to }] of kept.entries()) {
    const from = kept[at - 1]?.revision;
    if (from === undefined || to === from + 1) continue;
    let last: string | undefined;
    const double: string[] = [];
    const between = before.find({ ...ofKey(key), until: { $gt: from, $lte: to } }, { projection: { path: 1 } });
    for await (const { _id, path } of between.sort({ path: 1, until: 1 })) {
      if (path === last) double.push(_id);
      last = path;
    }
    for (let rest = 0; rest < double.length; rest += 1_000) {
      await before.deleteMany({ _id: { $in: double.slice(rest, rest + 1_000) } });
      await hold();
    }
  }
};

/** Whether there is something to be removed: only then a change is worth it. */
const isDue = async (collections: Collections, view: View, key: RepositoryKey, keeping: Keeping): Promise<boolean> => {
  const over = isOver(await namedOf(collections, key), keeping);
  return (await revisionsOf(collections, view, ofKey(key))).some(over);
};

export const pruneIfDue = async ({ asking, change }: Session, key: RepositoryKey, keeping: Keeping): Promise<void> => {
  if (await asking((collections, view) => isDue(collections, view, key, keeping)))
    await change(async (one) => ({ result: await prune(one, key, keeping) }));
};

export const sharedHistory = (session: Session, isPrefix: (prefix: string) => boolean): StoreHistory => {
  const { asking } = session;
  const own = (prefix: string | undefined) => (prefix === undefined ? undefined : trimPrefix(prefix));
  const ordered = (a: KeptRevision, b: KeptRevision): number =>
    a.prefix === b.prefix ? a.published - b.published || a.revision - b.revision : a.prefix < b.prefix ? -1 : 1;
  return {
    isPrefix,
    revisions: (prefix) =>
      asking(async (collections, view) =>
        (await revisionsOf(collections, view, prefix === undefined ? {} : { prefix: own(prefix) })).sort(ordered),
      ),
    labels: (prefix) => asking((collections) => labelsOf(collections, own(prefix))),
    label: (prefix, name, named, moved) =>
      // It waits for no change of another process, so that a roll-back takes no time.
      asking(async (one, view) => {
        const label = { prefix: trimPrefix(prefix), name, moved };
        const _id = `${name} ${label.prefix}`;
        const lost = async (now: View) => {
          for (const as of named) if (!(await isKept(one, now, { ...as, prefix: label.prefix }))) return as;
          return undefined;
        };
        const unknown = await lost(view);
        if (unknown) throw notKept(unknown);
        const former = await one.labels.findOne({ _id });
        await one.labels.replaceOne(
          { _id },
          { ...label, named: named.map(({ importerId, revision }) => ({ importer_id: importerId, revision })) },
          { upsert: true },
        );
        await one.head.updateOne({ _id: PROGRAM }, { $inc: { labelled: 1 } });
        // From here on no other process forgets it. It may have done so until now.
        const gone = await lost(await readView(one));
        if (!gone) return;
        if (former) await one.labels.replaceOne({ _id, moved }, former);
        else await one.labels.deleteOne({ _id, moved });
        throw notKept(gone);
      }),
    unlabel: (prefix, name) =>
      asking(async ({ labels }) => {
        const { deletedCount } = await labels.deleteOne({ _id: `${name} ${trimPrefix(prefix)}` });
        return deletedCount > 0;
      }),
    find: (path, as) => asking((collections, view) => findAt(collections, view, path, as)),
    children: (folder, as, after, limit) =>
      asking(async (collections, view) => {
        const all: Child[][] = [];
        for (const one of as) all.push(await childrenAt(collections, view, folder, one, after, limit));
        return mergedChildren(all, limit);
      }),
    prune: async (keeping) => {
      const keys = await asking(async (collections, view) => revisionsOf(collections, view, {}));
      const byKey = new Map(keys.map(({ prefix, importerId }) => [`${importerId} ${prefix}`, { prefix, importerId }]));
      for (const key of byKey.values()) await pruneIfDue(session, key, keeping);
    },
  };
};
