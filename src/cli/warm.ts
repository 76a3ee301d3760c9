import type { Command } from 'commander';
import type { WarmLine, WarmOrder } from '../app/warm/endpoint.ts';
import { LONGEST_ORDER } from '../app/warm/names.ts';
import { readTextFile } from './catalog-context.ts';
import { NotRunning, orderFromDaemon } from './control-client.ts';
import { counted } from './counted.ts';
import { asJson, oneLine } from './one-line.ts';
import { progressBar, sayBytes } from './progress.ts';
import { controlSocketOf, withSettings } from './settings.ts';

interface Options {
  readonly packages?: string;
  readonly all?: boolean;
  readonly metered?: boolean;
  readonly json?: boolean;
}

/** A reason as an operator reads it. */
const REASONS: Readonly<Record<string, string>> = {
  'no-room': 'no room for copies (save_limit, or the disk)',
  metered: 'its feed is metered (--metered fetches it all the same)',
  'size-unknown': 'its metadata does not state its size',
  kept: 'there is a copy by now',
  'gave-way': 'clients needed its place at the feed too often',
};

/** Names without a package that are shown: a list of all that is installed has thousands of them. */
const NAMED = 20;

/** Names of packages, a line each. Empty lines, and those that begin with #, are left out. */
const namesIn = (text: string): string[] => {
  const names = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const wrong = names.find((name) => name.length > 256 || /\s/.test(name));
  if (wrong !== undefined)
    throw new Error(`--packages: expected one name of a package a line, found '${wrong.slice(0, 80)}'`);
  if (names.length === 0) throw new Error('--packages: names no packages, expected a name or a pattern a line');
  return names;
};

export const addWarm = (command: Command): void => {
  withSettings(
    command
      .option('--packages <file>', 'the packages: a name or a pattern with * and ? a line; - is standard input')
      .option('--all', 'all packages of the repository, each in its newest version')
      .option('--metered', 'also from feeds whose transfers cost money (metered_feeds)')
      .option('--json', 'print each event as a line of JSON'),
    ['stateDir', 'controlSocket'],
  ).action(async (prefix: string, { packages, all = false, metered = false, json }: Options, command: Command) => {
    if ((packages !== undefined) === all) command.error('error: expected either --packages FILE or --all');
    if (!prefix.startsWith('/'))
      throw new Error(`expected the prefix of a repository, such as /zoo; found '${prefix}'`);
    const names = packages === undefined ? undefined : namesIn(readTextFile('--packages', packages));
    const order: WarmOrder = { prefix, metered, ...(names && { names }) };
    const target = `/warm?order=${encodeURIComponent(JSON.stringify(order))}`;
    if (names && target.length > LONGEST_ORDER)
      throw new Error(`--packages: ${names.length} names are too long for one order (1 MiB); divide it`);
    const show = json ? showJson() : showText(prefix);
    let failed = false;
    try {
      for await (const text of orderFromDaemon(controlSocketOf(command), target)) {
        const line: WarmLine = JSON.parse(text);
        failed ||= line.type === 'failed' || (line.type === 'planned' && line.unmatched.length > 0);
        show.line(line);
      }
    } catch (error) {
      if (error instanceof NotRunning)
        throw new Error(
          `${error.message}; start the daemon first (pulp-streamer serve), which fetches and keeps copies`,
        );
      throw error;
    } finally {
      show.end();
    }
    if (failed) process.exitCode = 1;
  });
};

interface Shown {
  line(line: WarmLine): void;
  end(): void;
}

const showJson = (): Shown => ({
  line: (line) => process.stdout.write(`${asJson(line)}\n`),
  end: () => {},
});

/** Progress, problems as they come, and a summary. */
const showText = (prefix: string): Shown => {
  const bar = progressBar(process.stderr);
  const skipped = new Map<string, number>();
  let planned = { files: 0, bytes: 0, kept: 0 };
  let [files, bytes, failed] = [0, 0, 0];
  const complain = (text: string) => {
    bar.stop();
    process.stderr.write(`${oneLine(text)}\n`);
  };
  const summary = () =>
    [
      `${prefix}: ${files} of ${planned.files} packages fetched (${sayBytes(bytes)})`,
      `${planned.kept} had a copy already`,
      ...[...skipped].map(([reason, count]) => `${count} not fetched: ${REASONS[reason] ?? reason}`),
      ...(failed > 0 ? [`${failed} failed`] : []),
    ].join('; ');
  return {
    line: (line) => {
      if (line.type === 'planned') {
        planned = line;
        for (const name of line.unmatched.slice(0, NAMED)) complain(`no package of ${prefix} is named ${name}`);
        const more = line.unmatched.length - NAMED;
        if (more > 0) complain(`${counted(more, 'more name', 'more names')} match nothing (--json lists all)`);
      }
      if (line.type === 'warmed') {
        files += 1;
        bytes += line.bytes;
        bar.update(bytes, planned.bytes);
      }
      if (line.type === 'skipped') skipped.set(line.reason, (skipped.get(line.reason) ?? 0) + 1);
      if (line.type === 'failed') {
        failed += 1;
        complain(`${line.path ?? prefix}: ${line.error}`);
      }
      if (line.type !== 'done') return;
      bar.stop();
      process.stdout.write(`${oneLine(summary())}\n`);
    },
    end: bar.stop,
  };
};
