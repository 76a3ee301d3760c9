import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type DurableOutbox, openOutbox } from '../saves/outbox/open.ts';
import type { WaitingSave } from '../saves/outbox/table.ts';
import { type CatalogContext, toJsonArray, writeAll } from './catalog-context.ts';

/** What the commands for waiting saves need of their surroundings. */
export interface SavesContext extends Pick<CatalogContext, 'prepare' | 'stdout'> {
  /** The file that wishes wait in. */
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
  return `${[id, `${Math.round(age / 1000)} s`, failures, due, entry.unitId, entry.path, reason ?? '-'].join('\t')}\n`;
};

function* map<T, R>(values: Iterable<T>, convert: (value: T) => R): Generator<R> {
  for (const value of values) yield convert(value);
}

const toId = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new Error(`'${text}' is no id, expected a number as \`saves list\` shows it`);
  return Number(text);
};

/** Where there is no outbox yet nothing waits, and none is made: it would belong to whoever runs the command. */
const withOutbox = async <T>(file: string, none: () => T, work: (outbox: DurableOutbox) => T): Promise<Awaited<T>> => {
  if (!existsSync(file)) return await none();
  const failures: Error[] = [];
  // The daemon may be writing; who waits here harms nobody.
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

/** `saves list|retry|drop`: the wishes to save units that have not been delivered yet. */
export const addSavesCommands = (program: Command, context: SavesContext): void => {
  const { stdout } = context;
  const command = program.command('saves').description('units that are to be saved, and wait to be asked for');
  const leaf = (name: string, description: string): Command =>
    context.prepare(command.command(name).description(description)).option('--json', 'as JSON');

  const show = (json: boolean | undefined, waiting: Iterable<WaitingSave>): Promise<void> =>
    writeAll(stdout, json ? toJsonArray(map(waiting, toPlain)) : map(waiting, summary));
  leaf('list', 'list them, the oldest first: id, age, failures, next try, unit, path, why the last try failed').action(
    ({ json }: Options, leaf: Command) =>
      withOutbox(
        context.outboxFile(leaf),
        () => show(json, []),
        (outbox) => show(json, outbox.list()),
      ),
  );

  /** Does something to the wishes with these ids, or to all; says how many it was done to. */
  const change = (name: 'retry' | 'drop', description: string, done: string): Command =>
    leaf(`${name} [ids...]`, description)
      .option('--all', 'all that wait')
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
        if (unknown !== undefined) throw new Error(`${unknown} does not wait; \`saves list\` shows what does`);
        const count = await withOutbox(
          file,
          () => 0,
          (outbox) => which.reduce<number>((sum, id) => sum + outbox[name](id), 0),
        );
        stdout.write(json ? `${JSON.stringify({ [done]: count })}\n` : `${done} ${saves(count)}\n`);
      });
  change('retry', 'make those that were put off due now', 'hurried');
  change('drop', 'forget them: the units are not saved, until somebody fetches them again', 'dropped');
};
