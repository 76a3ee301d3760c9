import { Binary } from 'mongodb';
import type { SharedFiles } from '../store.ts';
import { serverTime } from './clock.ts';
import type { ChunkDocument, Collections, FileDocument } from './database.ts';
import { removeAll } from './in-batches.ts';
import type { Session } from './session.ts';

/** Bytes of a chunk: far below what a document may have, so that none is large in memory. */
const CHUNK = 512 * 1024;
/** A file that was just stored may be needed by a revision that is not published yet. */
const HOUR = 3_600_000;

const chunkId = (name: string, number: number): string => `${name}:${number}`;

/** Bytes in pieces of one size; the last one may be smaller. */
async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    held.push(piece);
    size += piece.byteLength;
    if (size < CHUNK) continue;
    const all = Buffer.concat(held);
    let from = 0;
    for (; all.length - from >= CHUNK; from += CHUNK) yield all.subarray(from, from + CHUNK);
    held = [all.subarray(from)];
    size = all.length - from;
  }
  if (size > 0) yield Buffer.concat(held);
}

/** Chunks of files that were never stored to their end. */
const removeUnfinished = async ({ db, metadata, chunks }: Collections): Promise<void> => {
  const before = (await serverTime(db)) - HOUR;
  for await (const { file } of chunks.find({ number: 0, at: { $lt: before } }, { projection: { file: 1 } }))
    if (!(await metadata.findOne({ _id: file }))) await removeAll<ChunkDocument>(chunks, { file });
};

/** The files in the database: a document for each chunk, and one for the whole, which is written last. */
export const sharedMetadata = ({ ask }: Session): SharedFiles => {
  /** Whether a file is there; if so, it stays for another hour. */
  const find = (name: string): Promise<FileDocument | null> =>
    ask(async ({ db, metadata }) => {
      const { matchedCount } = await metadata.updateOne({ _id: name }, { $set: { at: await serverTime(db) } });
      return matchedCount > 0 ? metadata.findOne({ _id: name }) : null;
    });
  return {
    has: async (name) => (await find(name)) !== null,
    put: async (name, bytes, modified) => {
      const there = await find(name);
      if (there) return there.modified;
      let number = 0;
      for await (const piece of inChunks(bytes)) {
        const at = number++;
        await ask(async ({ db, chunks }) =>
          chunks.replaceOne(
            { _id: chunkId(name, at) },
            { file: name, number: at, at: await serverTime(db), data: new Binary(piece) },
            { upsert: true },
          ),
        );
      }
      await ask(async ({ db, metadata }) =>
        metadata.updateOne(
          { _id: name },
          // Another process may have stored it in between: one time counts for all.
          { $setOnInsert: { chunks: number, modified }, $set: { at: await serverTime(db) } },
          { upsert: true },
        ),
      );
      return (await find(name))?.modified ?? modified;
    },
    get: async (name) => {
      const found = await ask(({ metadata }) => metadata.findOne({ _id: name }));
      if (!found) return undefined;
      const bytes = (async function* () {
        for (let number = 0; number < found.chunks; number += 1) {
          const chunk = await ask(({ chunks }) => chunks.findOne({ _id: chunkId(name, number) }));
          // Removed meanwhile: what is missing shows in the digest.
          if (!chunk) return;
          yield chunk.data.buffer;
        }
      })();
      return { bytes, modified: found.modified };
    },
    sweep: (isNeeded) =>
      ask(async (collections) => {
        const { db, metadata, chunks } = collections;
        const before = (await serverTime(db)) - HOUR;
        for await (const { _id } of metadata.find({ at: { $lt: before } })) {
          if (isNeeded(_id)) continue;
          const { deletedCount } = await metadata.deleteOne({ _id, at: { $lt: before } });
          if (deletedCount > 0) await removeAll<ChunkDocument>(chunks, { file: _id });
        }
        await removeUnfinished(collections);
      }),
  };
};
