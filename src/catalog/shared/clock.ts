import type { Db } from 'mongodb';

/**
 * Milliseconds that the server's clock is ahead of this process's. All processes measure time by the
 * server's, so that none takes what another one still holds because their clocks differ.
 */
const clockOffset = async (db: Db): Promise<number> => {
  const asked = Date.now();
  const { localTime } = await db.command({ hello: 1 });
  const middle = (asked + Date.now()) / 2;
  return localTime instanceof Date ? localTime.getTime() - middle : 0;
};

/** Milliseconds since 1970 by the server's clock. */
export const serverTime = async (db: Db): Promise<number> => Date.now() + (await clockOffset(db));

/** Milliseconds for which an offset counts: clocks drift by less than one in this time. */
const LASTS = 10_000;
/** Milliseconds by which this machine's clock must have been set for the offset to be wrong. */
const SET = 100;

/** The offset, measured now and then, and whenever this machine's clock was set. */
export const keptOffset = (): ((db: Db) => Promise<number>) => {
  const began = () => Date.now() - performance.now();
  let known: { readonly offset: number; readonly at: number; readonly began: number } | undefined;
  return async (db) => {
    if (known && performance.now() - known.at < LASTS && Math.abs(began() - known.began) < SET) return known.offset;
    known = { offset: await clockOffset(db), at: performance.now(), began: began() };
    return known.offset;
  };
};
