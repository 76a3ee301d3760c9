import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Collection, type Db, Long, MongoServerError, ObjectId } from 'mongodb';
import { firstValueFrom } from 'rxjs';
import { locatorOf } from '../locator.ts';
import {
  type Cataloged,
  KEPT_AFTER_EXPIRATION,
  type PathState,
  type Refresh,
  type RefreshStore,
} from '../refresh-store.ts';
import type { Connection } from './connection.ts';
import { CONTENT } from './offers.ts';

/** One document per source. Times are Unix seconds. */
interface SourceDocument {
  readonly _id: string;
  readonly fingerprint?: string;
  readonly paths?: readonly PathState[];
  /** The second in the ids of a refresh's offers. It only increases, so it is unique per source. */
  readonly mark?: number;
  /** The mark of the last complete refresh. */
  readonly whole?: number;
  /** Set while a refresh is running. */
  readonly token?: string;
  readonly holder?: string;
  readonly leased_until?: number;
  readonly next_try?: number;
}

/** The names of the collections. */
interface RefreshPlaces {
  readonly sources: string;
  readonly content: string;
}

/**
 * `sources` is an addition to Pulp's collections, and has only the default index. `content` is Pulp's
 * own, in which Pulp's own streamer finds the offers too.
 */
const IN_PULP: RefreshPlaces = { sources: 'pulp_streamer_refreshes', content: CONTENT };

/** MongoDB's code for a duplicate key in a unique index. */
const DUPLICATE = 11_000;

/** Offers removed per step if all must go. */
const SLICE = 1_000;

/** The driver writes whole numbers above 32 bits as doubles; Pulp writes longs. */
const asPulp = (value: string | number) =>
  Number.isSafeInteger(value) && Math.abs(Number(value)) >= 2 ** 31 ? Long.fromNumber(Number(value)) : value;

/** The ids that contain one second. */
const bearing = (second: number) => ({
  $gte: ObjectId.createFromTime(second),
  $lt: ObjectId.createFromTime(second + 1),
});

/** Matches URLs below a folder: `0` is the character after `/`. */
const below = (folder: string) => ({ url: { $gte: folder, $lt: `${folder.slice(0, -1)}0` } });

export interface MongoRefreshStore extends RefreshStore {
  /** Resolves once nothing is running: released leases are free, and abandoned offers are gone. */
  settled(): Promise<void>;
}

/**
 * A database, by default Pulp's, as the store of refreshes. Offers are in Pulp's `content_catalog`; the state of
 * sources is in a collection that pulp-streamer adds. No index is created. The ids of offers show
 * their refresh, so Pulp's documents keep Pulp's shape. Pulp's own refreshes may run at the same
 * time; their offers are not withdrawn with ours.
 *
 * @param maxTimeMS milliseconds that MongoDB may work on one step
 */
export const mongoRefreshStore = (
  { ask }: Pick<Connection, 'ask'>,
  maxTimeMS: number,
  { sources: ofSource, content }: RefreshPlaces = IN_PULP,
): MongoRefreshStore => {
  const pending = new Set<Promise<unknown>>();
  const asking = <T>(question: (db: Db) => Promise<T>): Promise<T> => {
    const answer = firstValueFrom(ask(question)).finally(() => pending.delete(answer));
    pending.add(answer);
    return answer;
  };
  const ofSources = <T>(question: (sources: Collection<SourceDocument>) => Promise<T>): Promise<T> =>
    asking((db) => question(db.collection<SourceDocument>(ofSource)));

  // A delete in MongoDB has no limit, and a hundred thousand at once take longer than the time-out.
  const remove = (filter: object, most: number): Promise<number> =>
    asking(async (db) => {
      const offers = db.collection(content);
      const found = await offers.find(filter, { projection: { _id: 1 }, limit: most, maxTimeMS }).toArray();
      if (found.length === 0) return 0;
      await offers.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { maxTimeMS });
      return found.length;
    });
  const withdraw = async (sourceId: string, mark: number): Promise<void> => {
    while ((await remove({ source_id: sourceId, _id: bearing(mark) }, SLICE)) > 0);
  };
  /** Ends a refresh and stores the state after it, unless another refresh has begun since. */
  const end = async (
    { sourceId, token }: Refresh,
    known?: Cataloged & { readonly whole?: number },
  ): Promise<boolean> => {
    const { matchedCount } = await ofSources((sources) =>
      sources.updateOne(
        { _id: sourceId, token },
        { ...(known && { $set: known }), $unset: { token: '' } },
        { maxTimeMS },
      ),
    );
    return matchedCount > 0;
  };
  const find = (_id: string) => ofSources((sources) => sources.findOne({ _id }, { maxTimeMS }));

  return {
    state: async (sourceId, now) => {
      const found = await find(sourceId);
      if (!found) return undefined;
      const { fingerprint, paths = [], leased_until = 0, next_try } = found;
      return {
        sourceId,
        ...(fingerprint !== undefined && { cataloged: { fingerprint, paths } }),
        ...(next_try !== undefined && { nextTry: next_try }),
        leased: leased_until >= now,
      };
    },
    count: (sourceId, now) =>
      asking((db) =>
        db.collection(content).countDocuments({ source_id: sourceId, expiration: { $gte: now } }, { maxTimeMS }),
      ),
    begin: async (sourceId, now) => {
      const before = await find(sourceId);
      if (before?.token !== undefined && before.mark !== undefined) await withdraw(sourceId, before.mark);
      const token = randomUUID();
      const mark = await ofSources(async (sources) => {
        await sources.updateOne({ _id: sourceId }, { $max: { mark: Math.floor(now) } }, { upsert: true, maxTimeMS });
        const begun = await sources.findOneAndUpdate(
          { _id: sourceId },
          { $inc: { mark: 1 }, $set: { token } },
          { returnDocument: 'after', maxTimeMS },
        );
        return begun?.mark;
      });
      if (mark === undefined) throw new Error(`${ofSource}: ${sourceId} was removed while its refresh began`);
      return { sourceId, mark, token };
    },
    add: async ({ mark }, offers) => {
      const documents = offers.map(({ sourceId, expiration, typeId, unitKey, url }) => ({
        _id: new ObjectId(ObjectId.generate(mark)),
        _ns: content,
        source_id: sourceId,
        expiration: asPulp(expiration),
        type_id: typeId,
        unit_key: Object.fromEntries(Object.entries(unitKey).map(([name, value]) => [name, asPulp(value)])),
        locator: locatorOf(typeId, unitKey),
        url,
      }));
      if (documents.length > 0) await asking((db) => db.collection(content).insertMany(documents, { maxTimeMS }));
    },
    finish: (refresh, cataloged) => end(refresh, { ...cataloged, whole: refresh.mark }),
    abandon: async (refresh, cataloged) => {
      const { sourceId, mark } = refresh;
      // The refresh may have completed although the answer was lost.
      if ((await find(sourceId))?.whole === mark) return;
      await withdraw(sourceId, mark);
      await end(refresh, cataloged);
    },
    putOff: async (_id, next_try) => {
      await ofSources((sources) => sources.updateOne({ _id }, { $set: { next_try } }, { maxTimeMS }));
    },
    retire: ({ sourceId, mark }, most, kept = []) =>
      remove(
        {
          source_id: sourceId,
          _id: { $lt: ObjectId.createFromTime(mark) },
          ...(kept.length > 0 && { $nor: kept.map(below) }),
        },
        most,
      ),
    purge: (now, most) => remove({ expiration: { $lt: now - KEPT_AFTER_EXPIRATION } }, most),
    acquire: (sourceId, holder, now, until) =>
      ofSources((sources) =>
        sources
          .findOneAndUpdate(
            { _id: sourceId, $or: [{ leased_until: { $not: { $gte: now } } }, { holder }] },
            { $set: { holder, leased_until: until } },
            { upsert: true, maxTimeMS },
          )
          .then(
            () => true,
            // Another holder's document does not match, so the upsert meets the unique id.
            (error: unknown) => {
              if (error instanceof MongoServerError && error.code === DUPLICATE) return false;
              throw error;
            },
          ),
      ),
    release: async (sourceId, holder) => {
      await ofSources((sources) =>
        sources.updateOne({ _id: sourceId, holder }, { $set: { leased_until: 0 } }, { maxTimeMS }),
      );
    },
    settled: async () => {
      do {
        await Promise.allSettled(pending);
        // The step that follows a finished one starts within this turn.
        await setImmediate();
      } while (pending.size > 0);
    },
  };
};
