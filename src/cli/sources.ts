import type { Command } from 'commander';
import { firstValueFrom, lastValueFrom, tap } from 'rxjs';
import { type RefreshEvent, refreshOnce, StreamError } from '../../pipelines/index.ts';
import { byPriority } from '../alternates/candidates.ts';
import type { AlternateSource } from '../alternates/descriptors/parse.ts';
import { PathsFailed } from '../alternates/refresher.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { toJsonArray, writeAll } from './catalog-context.ts';
import { importProgress } from './import-progress.ts';
import { oneLine, row } from './one-line.ts';
import type { OpenAlternates, SourcesContext } from './sources-context.ts';
import { describeUnits, explainUnit } from './sources-explain.ts';

const toDate = (seconds: number): string => new Date(seconds * 1000).toISOString();

const toPlain = async ({ alternates, unhealthy }: OpenAlternates, source: AlternateSource) => {
  const { offers, expiration, state, failed, nextTry } = await alternates.status(source);
  const { id, type, priority, baseUrl } = source;
  const illness = unhealthy.find((one) => one.source === `alternate:${id}`);
  return {
    id,
    type,
    priority,
    base: maskUrl(baseUrl),
    offers,
    ...(expiration !== undefined && { expires: toDate(expiration) }),
    state,
    health: illness
      ? `cooling until ${new Date(illness.until).toISOString()}: ${maskUrl(illness.lastError.message)}`
      : 'well',
    failed: failed.map(({ path, problem = '' }) => ({ path: path || '/', error: problem })),
    ...(nextTry !== undefined && { retry: toDate(nextTry) }),
  };
};

const summary = ({
  id,
  type,
  priority,
  base,
  offers,
  expires,
  state,
  health,
  failed,
  retry,
}: Awaited<ReturnType<typeof toPlain>>): string => {
  const paths = failed.map(({ path, error }) => `${path}: ${error}`).join('; ');
  const next = retry === undefined ? '-' : `next try ${retry}`;
  return row([id, type, priority, base, offers, expires ?? '-', state, health, paths || '-', next]);
};

/** The source with an id, or all. */
const choose = (sources: readonly AlternateSource[], id: string | undefined): readonly AlternateSource[] => {
  const chosen = sources.filter((source) => id === undefined || source.id === id);
  if (id === undefined || chosen.length > 0) return chosen;
  const known = sources.map((source) => source.id).join(', ');
  throw new Error(
    known === ''
      ? `unknown source ${id}: no descriptor in content_sources_dir has a source`
      : `unknown source ${id}, expected one of ${known}`,
  );
};

/** Refreshes one source, prints the result, and returns whether all of its paths are fresh now. */
const refresh = async (
  { stdout, stderr }: SourcesContext,
  { alternates }: OpenAlternates,
  source: AlternateSource,
): Promise<boolean> => {
  const progress = importProgress(stderr);
  const show = (event: RefreshEvent<AlternateSource>) => {
    if (event.type === 'progress') progress.show({ ...event.progress, items: event.progress.units });
  };
  const complain = (problem: string) => stderr.write(`error: ${oneLine(`${source.id}: ${problem}`)}\n`);
  const describe = async (units: number) => {
    const { expiration } = await alternates.status(source);
    stdout.write(`${source.id}: ${units} units${expiration === undefined ? '' : ` until ${toDate(expiration)}`}\n`);
  };
  try {
    const last = await lastValueFrom(refreshOnce(source, alternates).pipe(tap(show)));
    progress.clear();
    if (last.type !== 'done') {
      complain('another process is refreshing it');
      return false;
    }
    await describe(last.units);
    return true;
  } catch (error) {
    progress.clear();
    if (error instanceof PathsFailed) {
      for (const { path, problem = '' } of error.failures) complain(`${path || '/'}: ${problem}`);
      if (error.units > 0) await describe(error.units);
    } else complain(maskUrl(messageOf(error)));
    return false;
  }
};

/** `sources list|refresh|explain`: alternate content sources and what they offer. */
export const addSourcesCommands = (sourcesCommand: Command, context: SourcesContext): void => {
  const { stdout, stderr } = context;

  const leaf = <A extends unknown[]>(
    usage: string,
    description: string,
    run: (open: OpenAlternates, sources: readonly AlternateSource[], ...args: A) => Promise<void>,
  ): Command =>
    context.prepare(sourcesCommand.command(usage).description(description)).action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const open = await context.open(command);
      try {
        const { sources, problems } = await firstValueFrom(open.alternates.descriptors);
        for (const problem of problems) stderr.write(`warning: ${oneLine(problem)}\n`);
        await run(open, [...sources].sort(byPriority), ...(given.slice(0, -1) as A));
      } finally {
        await open.close();
      }
    });

  leaf(
    'list',
    'list the sources in the order in which they are tried: id, type, priority, base URL, offers, expiry, state, health, failed paths, next try',
    async (open, sources, { json }: { json?: boolean }) => {
      const all = await Promise.all(sources.map((source) => toPlain(open, source)));
      await writeAll(stdout, json ? toJsonArray(all) : all.map(summary));
    },
  ).option('--json', 'print JSON');

  leaf(
    'refresh [id]',
    'reload the offers of a source, or of all sources',
    async (open, sources, id: string | undefined) => {
      const chosen = choose(sources, id);
      let failed = 0;
      for (const source of chosen) if (!(await refresh(context, open, source))) failed += 1;
      if (failed > 0) throw new Error(`${failed} of ${chosen.length} sources could not be refreshed completely`);
    },
  );

  leaf(
    'explain <unit>',
    'show which sources offer a unit: a path of the catalog, or TYPE:FIELD=VALUE,… such as rpm:name=bear',
    async (open, sources, unit: string, { json }: { json?: boolean }) => {
      const units = await explainUnit(open.search, sources, unit, Date.now() / 1000);
      if (units.length === 0) throw new StreamError('NO_CANDIDATE', 'catalog', `no alternate source offers ${unit}`);
      await writeAll(stdout, json ? toJsonArray(units) : describeUnits(units));
    },
  ).option('--json', 'print JSON');
};
