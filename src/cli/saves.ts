import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { messageOf } from '../lib/thrown.ts';
import { type DurableOutbox, openOutbox } from '../saves/outbox/open.ts';
import type { WaitingSave } from '../saves/outbox/table.ts';
import { type CatalogContext, toJsonArray, writeAll } from './catalog-context.ts';
import { row } from './one-line.ts';

/** Dependencies of the commands for waiting saves. */
export interface SavesContext extends Pick<CatalogContext, 'prepare' | 'stdout'> {
  /** The file of waiting save requests. */
  outboxFile(command: Command): string;
}

interface Options {
  readonly all?: boolean;
  readonly json?: boolean;
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;

const toPlain = ({ id, entry, requestId, failures, age, dueIn, reason }: WaitingSave): Record<string, unknown> => ({
  id,
  unit_id: entry.unitId,
  unit_type_id: entry.unitTypeId,
  path: entry.path,
  request_id: requestId,
  age: seconds(age),
  due_in: seconds(Math.max(0, dueIn)),
  failures,
  reason,
});

const summary = ({ id, entry, failures, age, dueIn, reason }: WaitingSave): string => {
  const due = dueIn > 0 ? `in ${Math.ceil(dueIn / 1000)} s` : 'now';
  return row([id, `${Math.round(age / 1000)} s`, failures, due, entry.unitId, entry.path, reason ?? '-']);
};

function* map<T, R>(values: Iterable<T>, convert: (value: T) => R): Generator<R> {
  for (const value of values) yield convert(value);
}

const toId = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new Error(`'${text}' is not an id, expected a number as \`saves list\` shows it`);
  return Number(text);
};

/** Throws if this user may not look: then it is unknown whether anything waits. */
const isThere = (file: string): boolean => {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw new Error(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
};

/**
 * Without an outbox nothing waits. None is created: it would belong to the user of this command.
 */
const withOutbox = async <T>(file: string, none: () => T, work: (outbox: DurableOutbox) => T): Promise<Awaited<T>> => {
  if (!isThere(file)) return await none();
  const failures: Error[] = [];
  // The daemon may be writing; a command can wait.
  const outbox = openOutbox(file, { onError: (error) => failures.push(error), lockWait: 5_000 });
  try {
    const done = await work(outbox);
    if (failures[0]) throw failures[0];
    return done;
  } finally {
    outbox.close();
  }
};

const saves = (count: number): string => `${count} ${count === 1 ? 'save' : 'saves'}`;

/** `saves list|retry|drop`: the save requests that have not been delivered yet. */
export const addSavesCommands = (command: Command, context: SavesContext): void => {
  const { stdout } = context;
  const leaf = (name: string, description: string): Command =>
    context.prepare(command.command(name).description(description)).option('--json', 'print JSON');

  const show = (json: boolean | undefined, waiting: Iterable<WaitingSave>): Promise<void> =>
    writeAll(stdout, json ? toJsonArray(map(waiting, toPlain)) : map(waiting, summary));
  leaf(
    'list',
    'list waiting save requests, the oldest first: id, age, failures, next try, unit, path, reason of the last failure',
  ).action(({ json }: Options, leaf: Command) =>
    withOutbox(
      context.outboxFile(leaf),
      () => show(json, []),
      (outbox) => show(json, outbox.list()),
    ),
  );

  /** Changes the save requests with these ids, or all; prints how many. */
  const change = (name: 'retry' | 'drop', description: string, done: string): Command =>
    leaf(`${name} [ids...]`, description)
      .option('--all', 'all waiting save requests')
      .action(async (texts: string[], { all, json }: Options, leaf: Command) => {
        if (texts.length > 0 === (all ?? false)) leaf.error('error: give either ids or --all');
        const file = context.outboxFile(leaf);
        const which: readonly (number | 'all')[] = all ? ['all'] : texts.map(toId);
        const waiting = await withOutbox(
          file,
          () => new Set<number>(),
          (outbox) => new Set([...outbox.list()].map(({ id }) => id)),
        );
        const unknown = which.find((id) => id !== 'all' && !waiting.has(id));
        if (unknown !== undefined) throw new Error(`${unknown} is not waiting; \`saves list\` shows all that are`);
        const count = await withOutbox(
          file,
          () => 0,
          (outbox) => which.reduce<number>((sum, id) => sum + outbox[name](id), 0),
        );
        stdout.write(json ? `${JSON.stringify({ [done]: count })}\n` : `${done} ${saves(count)}\n`);
      });
  change('retry', 'retry save requests now instead of when they are due', 'rescheduled');
  change('drop', 'drop save requests: their units are not saved until they are requested again', 'dropped');
};
