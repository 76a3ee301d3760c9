import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const DAY = 86_400;

/** Makes all that a catalog has noted of revisions and labels older by some days, as if they had passed. */
export const letDaysPass = (stateDir: string, days: number): void => {
  const database = new DatabaseSync(join(stateDir, 'catalog.db'), { timeout: 10_000 });
  try {
    const seconds = days * DAY;
    database.prepare('UPDATE revisions SET published = published - :seconds, superseded = superseded - :seconds').run({
      seconds,
    });
    database.prepare('UPDATE labels SET moved = moved - :seconds').run({ seconds });
  } finally {
    database.close();
  }
};

/** The day of some days ago, in UTC. */
export const daysAgo = (days: number): string =>
  new Date(Date.now() - days * DAY * 1000).toISOString().slice(0, 'YYYY-MM-DD'.length);
