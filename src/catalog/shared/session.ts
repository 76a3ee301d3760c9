import { MongoError } from 'mongodb';
import { firstValueFrom } from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { type Collections, PROGRAM, type SharedDatabase } from './database.ts';
import type { Head } from './documents.ts';
import { type View, viewOf } from './view.ts';
import { type Change, changing, type Outcome } from './writer.ts';

/** The questions and changes of one process. */
export interface Session {
  ask<T>(question: (collections: Collections) => Promise<T>): Promise<T>;
  /** The same, with what counts at the moment. */
  asking<T>(question: (collections: Collections, view: View) => Promise<T>): Promise<T>;
  /** Changes the catalog: see `changing`. */
  change<T>(work: (change: Change) => Promise<{ readonly result: T; readonly outcome?: Outcome }>): Promise<T>;
}

export interface SessionOptions {
  /** Milliseconds that a change waits for those of other processes. */
  readonly patience: number;
  /** Called with what counts after each change of this process. */
  readonly changed?: (head: Head) => void;
}

/** What counts at the moment. */
export const readView = async ({ head, db }: Collections): Promise<View> => {
  const found = await head.findOne({ _id: PROGRAM });
  if (found) return viewOf(found);
  throw new StreamError('CATALOG_UNAVAILABLE', 'catalog', `database ${db.databaseName}: its catalog was removed`);
};

const explained = (error: unknown): never => {
  if (!(error instanceof MongoError)) throw error;
  throw new StreamError('CATALOG_UNAVAILABLE', 'catalog', `shared catalog: ${messageOf(error)}`, { cause: error });
};

export const openSession = (database: SharedDatabase, { patience, changed = () => {} }: SessionOptions): Session => {
  const ask: Session['ask'] = (question) => firstValueFrom(database.ask(question));
  return {
    ask,
    asking: (question) => ask(async (collections) => question(collections, await readView(collections))),
    change: async (work) => {
      // Not within one question: it may wait for others, and write for minutes.
      const collections = await ask(async (opened) => opened);
      const { result, head } = await changing(collections, patience, work).catch(explained);
      changed(head);
      return result;
    },
  };
};
