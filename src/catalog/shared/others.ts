import type { DatabaseSync } from 'node:sqlite';
import type { Grace } from '../publication.ts';
import type { Staged } from '../sqlite/staged.ts';
import { mayDiffer } from './add.ts';
import { below } from './counting.ts';
import { ageOf, type EntryDocument, type Generation, idOf } from './documents.ts';
import { inBatches } from './in-batches.ts';
import type { Recording } from './recording.ts';
import type { Change } from './writer.ts';

/** What the catalog has where entries are to be published. */
export interface Others {
  /** Whether a path has, or had, other content. */
  isReplaced(path: string): boolean;
  replacedPaths(): Iterable<string>;
  /** How many entries of earlier revisions end. */
  readonly removed: number;
  /** The generations of earlier revisions. */
  readonly generations: readonly Generation[];
  /** Entries of earlier revisions whose grace is not over, as entries of this one. */
  readonly copies: readonly EntryDocument[];
  /** The ids of entries with the same path, importer and revision as a staged one. */
  readonly superseded: readonly number[];
}

/** Takes the entries that are superseded. */
type Watching = Pick<Recording, 'see' | 'flush'>;

interface Own {
  readonly importerId: string;
  readonly prefix: string;
  readonly grace?: Grace;
  readonly recording?: Watching;
}

/**
 * Reads the entries that count at the paths of the staged ones, and with `own` all of that importer
 * and prefix: those are superseded. Holds nothing in memory but paths with other content, and those
 * whose grace is not over.
 */
export const readOthers = async (
  { entries, view, gen, hold }: Change,
  database: DatabaseSync,
  staged: Staged,
  own?: Own,
): Promise<Others> => {
  const { table, byPath } = staged;
  const at = database.prepare(
    `SELECT checksum, importer_id, revision FROM ${table} INDEXED BY ${byPath} WHERE path = ?`,
  );
  // Two of the staged entries themselves.
  const twice = database.prepare(
    `SELECT DISTINCT b.path AS path FROM ${table} a JOIN ${table} b ON b.path = a.path AND b.id > a.id
     WHERE a.checksum IS NULL OR a.checksum IS NOT b.checksum`,
  );
  const replaced = new Set<string>(twice.all().map(({ path }) => String(path)));
  const generations = new Set<Generation>();
  const copies: EntryDocument[] = [];
  const superseded: number[] = [];
  let removed = 0;

  const isOwn = ({ importer_id, prefix }: EntryDocument): boolean =>
    own !== undefined && importer_id === own.importerId && prefix === own.prefix;

  const end = (document: EntryDocument, isStaged: boolean): void => {
    generations.add(document.gen);
    const { grace } = own ?? {};
    const { gone_since = grace?.now } = document;
    if (!grace || isStaged || (document.gone_since !== undefined && document.gone_since <= grace.now - grace.seconds))
      removed += 1;
    else copies.push({ ...document, _id: idOf(gen, copies.length), gen, age: ageOf(document), gone_since });
  };

  const look = (document: EntryDocument): void => {
    if (!view.counts(document)) return;
    const there = at.all(document.path) as unknown as readonly (Pick<EntryDocument, 'importer_id' | 'revision'> & {
      readonly checksum: string | null;
    })[];
    for (const { checksum, importer_id, revision } of there) {
      if (mayDiffer(document, { checksum: checksum ?? undefined })) replaced.add(document.path);
      if (!own && importer_id === document.importer_id && revision === document.revision) superseded.push(document._id);
    }
    if (!isOwn(document)) return;
    own?.recording?.see(document);
    end(document, there.length > 0);
  };

  if (own) {
    const { importerId, prefix, recording } = own;
    for await (const batch of inBatches(entries.find({ importer_id: importerId, prefix }))) {
      batch.forEach(look);
      await recording?.flush();
      await hold();
    }
    const foreign = { $or: [{ importer_id: { $ne: importerId } }, { prefix: { $ne: prefix } }] };
    for await (const batch of inBatches(entries.find({ path: below(prefix), ...foreign }))) {
      batch.forEach(look);
      await hold();
    }
  }
  const { $gte, $lt } = own ? below(own.prefix) : { $gte: '', $lt: '' };
  const rest = database.prepare(`SELECT DISTINCT path FROM ${table} WHERE NOT (path >= ? AND path < ?)`);
  for await (const batch of inBatches(rest.iterate($gte, $lt))) {
    const paths = batch.map(({ path }) => String(path));
    for (const document of await entries.find({ path: { $in: paths } }).toArray()) if (!isOwn(document)) look(document);
    await hold();
  }
  return {
    isReplaced: (path) => replaced.has(path),
    replacedPaths: () => replaced,
    ...{ removed, generations: [...generations], copies, superseded },
  };
};
