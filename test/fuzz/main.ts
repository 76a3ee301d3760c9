import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { toLine, writeCorpus } from './engine/corpus-file.ts';
import type { Result } from './engine/thread.ts';
import { runWatched } from './engine/watched.ts';
import { TARGETS } from './targets/index.ts';

const USAGE = `npm run fuzz -- TARGET… [--minutes N] [--executions N] [--seed S] [--save] [--blind] [--report FILE]

  TARGET           one of those below; all of them: all
  --minutes N      of each target (default: 1)
  --executions N   instead: the same in every run with the same seed
  --save           adds to the corpus what reaches new code
  --patience S     seconds that one input may take on a busy machine (default: 30)
  --blind          without feedback, to compare
  --report FILE    the number of targets with and without findings, as a test suite reports it
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    executions: { type: 'string' },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    patience: { type: 'string', default: '30' },
    blind: { type: 'boolean', default: false },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

const listed = (): string =>
  Object.keys(TARGETS)
    .map((name) => `  ${name}\n`)
    .join('');

const show = (name: string, { executions, reached, kept, findings }: Result): void => {
  say(
    `${name}: ${executions} executions, ${kept} inputs kept, ${reached} characters of code, ${findings.length} findings`,
  );
  for (const { what, detail, input } of findings)
    say(`\nFOUND in ${name}: ${what}\n${detail}\ninput: ${toLine(input)}\n`);
};

const run = async (names: readonly string[]): Promise<boolean> => {
  const limits =
    values.executions === undefined
      ? { executions: Number.POSITIVE_INFINITY, time: Number(values.minutes) * 60_000 }
      : { executions: Number(values.executions), time: Number.POSITIVE_INFINITY };
  const [seed, guided, distils] = [Number(values.seed), !values.blind, values.save];
  const failed: string[] = [];
  for (const name of names) {
    const result = await runWatched({ name, seed, guided, distils, ...limits }, Number(values.patience) * 1000);
    show(name, result);
    if (result.findings.length > 0) failed.push(name);
    else if (result.distilled) writeCorpus(name, result.distilled);
  }
  if (values.report !== undefined) {
    const counts = { numPassedTests: names.length - failed.length, numFailedTests: failed.length };
    writeFileSync(values.report, JSON.stringify({ ...counts, numRuntimeErrorTestSuites: 0, numPendingTests: 0 }));
  }
  return failed.length === 0;
};

if (values.help || positionals.length === 0) say(USAGE + listed());
else if (!(await run(positionals.includes('all') ? Object.keys(TARGETS) : positionals))) process.exitCode = 1;
