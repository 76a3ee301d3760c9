import type { Db } from 'mongodb';

/**
 * Milliseconds that the server's clock is ahead of this process's. All processes measure time by the
 * server's, so that none takes what another one still holds because their clocks differ.
 */
export const clockOffset = async (db: Db): Promise<number> => {
  const asked = Date.now();
  const { localTime } = await db.command({ hello: 1 });
  const middle = (asked + Date.now()) / 2;
  return localTime instanceof Date ? localTime.getTime() - middle : 0;
};

/** Milliseconds since 1970 by the server's clock. */
export const serverTime = async (db: Db): Promise<number> => Date.now() + (await clockOffset(db));
