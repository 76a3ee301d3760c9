import { setTimeout } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { now, type Outages } from './outages.ts';

/** Milliseconds in which a database that is not away answers a small query. */
const PROMPT = 1_000;
/** Milliseconds between two queries. */
const PAUSE = 100;

/**
 * Asks a database again and again, as another client of it, and notes an outage of an end whenever no
 * answer comes promptly: a busy machine may take the database away as well as the soak does. `end`
 * resolves once nothing more is asked.
 */
export const watchDatabase = (url: string, database: string, end: string, outages: Outages) => {
  const client = new MongoClient(url, {
    ...{ serverSelectionTimeoutMS: PROMPT, socketTimeoutMS: 2 * PROMPT, heartbeatFrequencyMS: 500 },
  });
  const entries = client.db(database).collection('lazy_content_catalog');
  let isOver = false;
  const ask = async () => {
    const from = now();
    let back: (() => void) | undefined;
    const late = globalThis.setTimeout(() => {
      back = outages.begin(end, from);
    }, PROMPT);
    // An error is an answer that did not come: the next query shows when it is back.
    await entries.findOne({ path: '/' }).catch(() => undefined);
    clearTimeout(late);
    back?.();
  };
  const watching = (async () => {
    while (!isOver) {
      await ask();
      await setTimeout(PAUSE);
    }
    await client.close();
  })();
  return {
    end: () => {
      isOver = true;
      return watching;
    },
  };
};
