import { hash } from 'node:crypto';
import { map } from 'rxjs';
import type { Shelf, StoredCopy } from '../copies/shelf.ts';
import type { Bucket, StoredObject } from './bucket.ts';
import { describedCopy, descriptionOf, LONGEST_DESCRIPTION } from './known.ts';
import { descriptionName, parseName } from './names.ts';
import { removeCopy, verifyObject } from './verify.ts';

/** Milliseconds after which an object that is no part of a copy is removed: it may be about to become one. */
const ORPHANED = 3_600_000;
/** A use costs a request that stores a small object. */
const UNWRITTEN = 24 * 3_600_000;

/** The objects of one key, which follow one another in a list. */
interface Group {
  readonly key: string;
  readonly description?: StoredObject;
  readonly contents: readonly StoredObject[];
}

/** The copies in a bucket. The time of a description is that of the copy's last use. */
export const bucketShelf = (bucket: Bucket, now: () => number = Date.now): Shelf => {
  const read = async (key: string) => {
    const found = await bucket.read(descriptionName(key), LONGEST_DESCRIPTION);
    return found && describedCopy(found.bytes.toString(), found.modified, key);
  };

  /** The content that the description names: the only one, but for the moment in which two are made. */
  const contentOf = async ({ key, description, contents }: Group): Promise<StoredObject | undefined> => {
    if (!description || contents.length < 2) return description && contents[0];
    const name = (await read(key))?.name;
    return contents.find((one) => one.name === name);
  };

  const removeOrphans = async ({ description, contents }: Group, content: StoredObject | undefined) => {
    const orphans = [...contents.filter((one) => one !== content), ...(content || !description ? [] : [description])];
    for (const { name, modified } of orphans) if (now() - modified > ORPHANED) await bucket.remove(name);
  };

  const shelf: Shelf = {
    async *copies({ start, tidying } = {}) {
      for (const [after, until] of partsFrom(start))
        for await (const group of groupsOf(bucket.list(after))) {
          if (until !== undefined && group.key >= until) break;
          const content = await contentOf(group);
          if (tidying) await removeOrphans(group, content);
          if (content && group.description) yield copyOf(group.key, content, group.description);
        }
    },
    look: async (path) => {
      const { key = '' } = parseName(path) ?? {};
      const [content, description] = await Promise.all([bucket.look(path), bucket.look(descriptionName(key))]);
      return content && description && copyOf(key, content, description);
    },
    remove: async (copy) => {
      const content = await bucket.look(copy.path);
      if (!content || content.etag !== copy.version) return false;
      await removeCopy(bucket, { key: copy.key, name: copy.path });
      return true;
    },
    use: async ({ key }) => {
      const copy = await read(key);
      if (!copy) return;
      const text = descriptionOf(copy);
      await bucket.put(descriptionName(key), text, {
        sha256: hash('sha256', text, 'base64'),
        type: 'application/json',
      });
    },
    unwritten: UNWRITTEN,
    keyAt: (path) => parseName(path)?.key ?? '',
    examine: ({ key, path }, known, pace) =>
      verifyObject(bucket, { key, name: path }, known, pace).pipe(
        map((verdict) => (typeof verdict === 'string' || 'fault' in verdict ? verdict : 'right')),
      ),
    close: bucket.close,
  };
  return shelf;
};

/** The names to list, in two parts if not from the first one on: those after one, then those before. */
const partsFrom = (start: number | undefined): readonly (readonly [after?: string, until?: string])[] => {
  if (start === undefined) return [[]];
  const from = Math.floor(start * 256)
    .toString(16)
    .padStart(2, '0');
  return [[from], [undefined, from]];
};

const copyOf = (key: string, content: StoredObject, description: StoredObject): StoredCopy => ({
  ...{ key, file: content.name, path: content.name, size: content.size },
  ...{ madeAt: content.modified, usedAt: description.modified, version: content.etag },
});

/** The objects of each key. Those that are not the streamer's are left alone. */
async function* groupsOf(objects: AsyncIterable<StoredObject>): AsyncGenerator<Group> {
  let group: Group | undefined;
  for await (const object of objects) {
    const parsed = parseName(object.name);
    if (!parsed) continue;
    if (group?.key !== parsed.key) {
      if (group) yield group;
      group = { key: parsed.key, contents: [] };
    }
    group = parsed.isDescription
      ? { ...group, description: object }
      : { ...group, contents: [...group.contents, object] };
  }
  if (group) yield group;
}
