import { type Command, InvalidArgumentError } from 'commander';
import { firstValueFrom } from 'rxjs';
import type { CatalogEntry } from '../../pipelines/model/index.ts';
import { age } from '../config/kinds.ts';
import { keyOf } from '../saves/copies/names.ts';
import type { Shelf, StoredCopy } from '../saves/copies/shelf.ts';
import { type CatalogContext, toJsonArray, writeAll } from './catalog-context.ts';
import { counted } from './counted.ts';
import { row } from './one-line.ts';

/** Dependencies of the commands for saved copies. */
export interface CopiesContext extends Pick<CatalogContext, 'prepare' | 'stdout'> {
  /** Calls `work` with the copies, and with the entries that may name them. */
  withCopies<T>(
    command: Command,
    work: (shelf: Shelf, entries: Iterable<CatalogEntry> | AsyncIterable<CatalogEntry>) => Promise<T>,
  ): Promise<T>;
}

interface Listed {
  readonly copy: StoredCopy;
  /** The newest entry that the copy is of; absent if the catalog has none. */
  readonly entry?: CatalogEntry;
}

/** All copies, with their entries, the least recently used first. */
const listed = async (
  shelf: Shelf,
  entries: Iterable<CatalogEntry> | AsyncIterable<CatalogEntry>,
): Promise<readonly Listed[]> => {
  const copies: StoredCopy[] = [];
  for await (const copy of shelf.copies()) copies.push(copy);
  const keys = new Set(copies.map(({ key }) => key));
  const known = new Map<string, CatalogEntry>();
  for await (const entry of keys.size > 0 ? entries : []) {
    const key = keyOf(entry);
    if (keys.has(key)) known.set(key, entry);
  }
  return copies.toSorted((a, b) => a.usedAt - b.usedAt).map((copy) => ({ copy, entry: known.get(copy.key) }));
};

const toJson = ({ copy: { file, size, madeAt, usedAt }, entry }: Listed, now: number) => ({
  file,
  path: entry?.path,
  size,
  age: secondsBetween(madeAt, now),
  last_used: new Date(usedAt).toISOString(),
});

const summary = (one: Listed, now: number): string => {
  const { file, path = '-', size, age, last_used } = toJson(one, now);
  return row([file, size, `${age} s`, last_used, path]);
};

const secondsBetween = (then: number, now: number): number => Math.max(0, Math.round((now - then) / 1000));

const countedCopies = (count: number): string => counted(count, 'copy', 'copies');

const toAge = (text: string): number => {
  const milliseconds = age.read(text);
  if (milliseconds === undefined) throw new InvalidArgumentError(`expected ${age.expected}.`);
  return milliseconds;
};

interface PurgeOptions {
  readonly all?: boolean;
  readonly olderThan?: number;
  readonly json?: boolean;
}

/** Whether a copy is to be removed; throws if a name matches no copy. */
const purging = (names: readonly string[], { all, olderThan }: PurgeOptions, copies: readonly Listed[]) => {
  const isNamed = ({ copy, entry }: Listed, name: string) => name === copy.file || name === entry?.path;
  const unknown = names.find((name) => !copies.some((one) => isNamed(one, name)));
  if (unknown !== undefined) throw new Error(`no copy of ${unknown}; \`copies list\` shows all`);
  const before = Date.now() - (olderThan ?? Number.POSITIVE_INFINITY);
  return (one: Listed) => all || one.copy.usedAt < before || names.some((name) => isNamed(one, name));
};

/**
 * `copies list|verify|purge`: the content that `dispatch: save` keeps. They may run while the
 * daemon does.
 */
export const addCopiesCommands = (command: Command, context: CopiesContext): void => {
  const { stdout } = context;
  const leaf = (name: string, description: string): Command =>
    context.prepare(command.command(name).description(description)).option('--json', 'print JSON');

  leaf('list', 'list all copies, the least recently used first: file, size, age, last use, path').action(
    ({ json }: { json?: boolean }, leaf: Command) =>
      context.withCopies(leaf, async (shelf, entries) => {
        const copies = await listed(shelf, entries);
        const now = Date.now();
        const texts = json
          ? toJsonArray(copies.map((one) => toJson(one, now)))
          : copies.map((one) => summary(one, now));
        await writeAll(stdout, texts);
      }),
  );

  leaf(
    'verify',
    'read all copies and compare their checksums; wrong ones are removed, and the exit status is 1. Missing sums of blocks are written',
  ).action(({ json }: { json?: boolean }, leaf: Command) =>
    context.withCopies(leaf, async (shelf, entries) => {
      const wrong: { readonly file: string; readonly path?: string; readonly fault: string }[] = [];
      const unknown: string[] = [];
      let verified = 0;
      const copies = await listed(shelf, entries);
      for (const { copy, entry } of copies) {
        const found = await firstValueFrom(shelf.examine(copy, entry?.checksum));
        // The daemon has removed it in between.
        if (found === 'gone') continue;
        if (found === 'unknown') {
          unknown.push(copy.file);
          continue;
        }
        verified += 1;
        // Another copy may have taken its place, which is not wrong then.
        if (found !== 'right' && (await shelf.remove(copy)))
          wrong.push({ file: copy.file, path: entry?.path, fault: found.fault });
      }
      const lines = [
        ...wrong.map(({ file, path = '-', fault }) => row(['removed', file, path, fault])),
        ...unknown.map((file) => `unknown\t${file}\t-\tno checksum of it is known\n`),
        `verified ${countedCopies(verified)}, removed ${wrong.length}\n`,
      ];
      await writeAll(stdout, json ? [`${JSON.stringify({ verified, removed: wrong, unknown })}\n`] : lines);
      if (wrong.length > 0) throw new Error(`${countedCopies(wrong.length)} removed for wrong content`);
    }),
  );

  leaf('purge [names...]', 'remove copies: of these paths or files, those not used for a time, or all')
    .option('--older-than <duration>', 'those not used for this long', toAge)
    .option('--all', 'all copies')
    .action((names: string[], options: PurgeOptions, leaf: Command) => {
      const ways = [names.length > 0, options.olderThan !== undefined, options.all === true];
      if (ways.filter(Boolean).length !== 1) leaf.error('error: give one of names, --older-than and --all');
      return context.withCopies(leaf, async (shelf, entries) => {
        const copies = await listed(shelf, entries);
        const isPurged = purging(names, options, copies);
        let removed = 0;
        let bytes = 0;
        for (const one of copies) {
          if (!isPurged(one) || !(await shelf.remove(one.copy))) continue;
          removed += 1;
          bytes += one.copy.size;
        }
        const text = options.json
          ? JSON.stringify({ removed, bytes })
          : `removed ${countedCopies(removed)}, ${bytes} bytes`;
        stdout.write(`${text}\n`);
      });
    });
};
