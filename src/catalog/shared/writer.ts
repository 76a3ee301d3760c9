import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { serverTime } from './clock.ts';
import { type Collections, PROGRAM } from './database.ts';
import type { EntryDocument, Generation, Head, RepositoryDocument } from './documents.ts';
import type { RevisionDocument } from './history-documents.ts';
import { removeAll } from './in-batches.ts';
import { type View, viewOf } from './view.ts';

/** A change of the catalog. Of all processes, one makes one at a time. */
export interface Change extends Collections {
  /** What counts before it. */
  readonly view: View;
  /** Its generation: later than that of each change before. */
  readonly gen: Generation;
  /**
   * Makes sure that no other process has taken over, and that none does for another minute. Call it
   * between steps that take seconds.
   */
  hold(): Promise<void>;
}

/** What the head says after a change, beside its version. */
export interface Outcome extends Partial<Pick<Head, 'published' | 'loads'>> {
  readonly retired?: readonly Omit<Head['retired'][number], 'at'>[];
  /** It counts only if no label was set since the change began. */
  readonly unlessLabelled?: boolean;
}

/** Milliseconds after which a process that died no longer keeps others from changing the catalog. */
const LEASE = 60_000;
/** Milliseconds between tries for the right to change the catalog. */
const AGAIN = 100;
/**
 * Milliseconds for which entries stay in the database after they no longer count. Requests that began
 * before read them: what counts is a second old at most, and a query takes seconds at most.
 */
const READ_FOR = 60_000;

const OVERTAKEN = 'another process has changed the catalog meanwhile, because this one was stopped for too long';

const LABELLED = 'a label was set while a revision was published that would have removed what the label names';

/** Whether a change did not count because a label was set. It may be made once more. */
export const wasLabelled = (error: unknown): boolean => error instanceof Error && error.message === LABELLED;

/** Waits for its turn, and takes a generation. Rejects after `patience` milliseconds. */
const begin = async ({ db, head }: Collections, token: string, patience: number): Promise<Head> => {
  const end = performance.now() + patience;
  for (;;) {
    const now = await serverTime(db);
    const begun = await head.findOneAndUpdate(
      { _id: PROGRAM, 'writer.until': { $lt: now } },
      // With a number of labels, which earlier versions did not count.
      { $set: { 'writer.token': token, 'writer.until': now + LEASE }, $inc: { reserved: 1, labelled: 0 } },
      { returnDocument: 'after' },
    );
    if (begun) return begun;
    if (performance.now() > end) throw new Error('another process is changing the shared catalog');
    await setTimeout(AGAIN);
  }
};

/** Removes what no longer counts, once no request can still read it. Returns what is left of it. */
const purge = async (change: Change): Promise<Head['retired']> => {
  const { head } = change.view;
  const before = (await serverTime(change.db)) - READ_FOR;
  const due = head.retired.filter(({ at }) => at < before);
  const { entries, repositories } = change;
  for (const { importer_id, prefix, gen } of due) {
    await removeAll<EntryDocument>(entries, { importer_id, prefix, gen }, change.hold);
    await removeAll<RepositoryDocument>(repositories, { importer_id, prefix, gen }, change.hold);
  }
  return head.retired.filter((one) => !due.includes(one));
};

/** Removes what changes have left that never came to their end. */
const sweep = async ({ entries, repositories, revisions, view: { head }, gen, hold }: Change): Promise<void> => {
  if (head.closed >= gen - 1) return;
  const unfinished = { gen: { $gt: head.closed, $lt: gen } };
  await removeAll<EntryDocument>(entries, unfinished, hold);
  await removeAll<RepositoryDocument>(repositories, unfinished, hold);
  await removeAll<RevisionDocument>(revisions, unfinished, hold);
};

/**
 * Changes the catalog. What `work` writes with the change's generation counts from the moment when
 * its outcome is stored, in one step. If it rejects, or this process dies, nothing of it counts, and
 * the next change removes it.
 */
export const changing = async <T>(
  collections: Collections,
  patience: number,
  work: (change: Change) => Promise<{ readonly result: T; readonly outcome?: Outcome }>,
): Promise<{ readonly result: T; readonly head: Head }> => {
  const { db, head } = collections;
  const token = randomUUID();
  const begun = await begin(collections, token, patience);
  const mine = { _id: PROGRAM, 'writer.token': token, reserved: begun.reserved };
  const free = { 'writer.token': '', 'writer.until': 0 };
  let held = performance.now();
  const change: Change = {
    ...collections,
    view: viewOf(begun),
    gen: begun.reserved,
    hold: async () => {
      if (performance.now() - held < LEASE / 6) return;
      held = performance.now();
      const { matchedCount } = await head.updateOne(mine, { $set: { 'writer.until': (await serverTime(db)) + LEASE } });
      if (matchedCount === 0) throw new Error(OVERTAKEN);
    },
  };
  try {
    await sweep(change);
    const retired = await purge(change);
    const { result, outcome: { unlessLabelled = false, ...outcome } = {} } = await work(change);
    const now = await serverTime(db);
    const next = {
      ...{ version: change.gen, closed: change.gen, last: token },
      ...outcome,
      retired: [...retired, ...(outcome.retired ?? []).map((one) => ({ ...one, at: now }))],
    };
    const expected = { ...mine, ...(unlessLabelled && { labelled: begun.labelled ?? 0 }) };
    const { matchedCount } = await head.updateOne(expected, { $set: { ...next, ...free } });
    const after = await head.findOne({ _id: PROGRAM });
    if (after?.writer.token === token && after.labelled !== begun.labelled) throw new Error(LABELLED);
    // A repeated step finds that it was done the first time.
    if (!after || (matchedCount === 0 && after.last !== token)) throw new Error(OVERTAKEN);
    return { result, head: after };
  } catch (error) {
    // What it has written is removed by the next change, and its turn ends by itself at worst.
    await head.updateOne(mine, { $set: free }).catch(() => {});
    throw error;
  }
};
