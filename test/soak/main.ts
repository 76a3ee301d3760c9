import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createProcessGroup } from '../support/process-group.ts';
import { runSoak } from './run.ts';

const USAGE = `npm run soak -- [--transfers N] [--seed S] [--clients N] [--lines FILE] [--report FILE] [--write]

Ctrl-C judges what was asked for until then.

  --lines FILE    every line of the clients
  --report FILE   the number of promises kept and broken, as a test suite reports it
  --write         writes the table of docs/explanation/reliability.md`;

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '24' },
    lines: { type: 'string' },
    report: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

// Memory that is released is taken away: whoever reads it too late finds nothing.
process.env.POISON_LENT_BUFFERS = '1';

const PAGE = new URL('../../docs/explanation/reliability.md', import.meta.url);
const MARKED = /(<!-- soak -->\n)[\s\S]*?(<!-- \/soak -->)/;
/** Kinds of broken promises that are shown with their first case. */
const SHOWN = 5;
const MEBIBYTE = 1 << 20;

/** A broken promise without what only its own case has. */
const kindOf = (told: string): string => {
  const [first = ''] = told.split('\n', 1);
  const at = first.indexOf('{');
  if (at < 0) return first.replace(/\S*\/\S*/g, 'a path');
  const { outcome, status, note } = JSON.parse(first.slice(at)) as Record<string, unknown>;
  return `${first.slice(0, at)}${outcome} ${status} ${note}`;
};

const soak = async () => {
  const [seed, transfers, atOnce] = [values.seed, values.transfers, values.clients].map(Number) as [
    number,
    number,
    number,
  ];
  const processes = createProcessGroup();
  // Ctrl-C judges what was asked for until then. SIGTERM, or a second signal, ends the run and all that it has started.
  // A third one ends this process.
  const enough = new AbortController();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = () => stop.abort(new Error(`stopped by ${signal}`));
    process.once(signal, () => {
      if (signal !== 'SIGINT') return end();
      enough.abort();
      process.once(signal, end);
    });
  }
  const folders: string[] = [];
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-soak-'));
    folders.push(folder);
    return folder;
  };
  const lines = values.lines === undefined ? undefined : createWriteStream(values.lines);
  try {
    const said = (text: string) => lines?.write(`${text}\n`);
    const { tally, broken, troubles, peak, ...asked } = await runSoak(processes.start, newFolder, {
      ...{ seed, transfers, atOnce, said, onBroken: (what) => say(`broken: ${what}`) },
      stop: stop.signal,
      enough: enough.signal,
    });
    const table = tally.table(`${asked.transfers} transfers, seed ${seed}`);
    say(table);
    say([...troubles].map(([name, count]) => `${count} ${name}`).join(', '));
    say(`The daemon had at most ${Math.round(peak / MEBIBYTE)} MiB of memory.`);
    const kinds = Object.entries(Object.groupBy(broken, kindOf));
    for (const [, cases = []] of kinds.slice(0, SHOWN)) say(`\nBROKEN: ${cases[0]}`);
    say(broken.length === 0 ? 'Every promise was kept.' : `\n${broken.length} broken promises.`);
    for (const [kind, cases = []] of kinds) say(`${cases.length} ${kind}`);
    if (values.write)
      writeFileSync(
        PAGE,
        readFileSync(PAGE, 'utf8').replace(MARKED, (_, from, to) => `${from}${table}\n${to}`),
      );
    if (values.report) {
      const counts = { numPassedTests: asked.transfers - broken.length, numFailedTests: broken.length };
      writeFileSync(values.report, JSON.stringify({ ...counts, numRuntimeErrorTestSuites: 0, numPendingTests: 0 }));
    }
    return broken.length === 0;
  } finally {
    lines?.end();
    await processes.end();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};

if (values.help) say(USAGE);
// Explicitly: nothing that a fault left behind in this process may keep it from ending.
else process.exit((await soak()) ? 0 : 1);
