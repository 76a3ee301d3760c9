/**
 * `npm run mutate [-- FOLDER|FILE …]`: changes the code of `pipelines/` in one place at a time and runs
 * the tests that reach it. Fails if a mutant survives without an explanation, or, if nothing is named,
 * if less than 95 % are killed. docs/explanation/mutants.md explains it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXPLAINED } from './explained.ts';
import { judge, type Report, tableOf } from './judge.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORK = '.build/mutate';

/** The rooms, each with the tests that must kill its mutants. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'pipelines/operators': ['test/pipelines/operators/**/*.test.ts'],
  'pipelines/stages/health': ['test/pipelines/stages/**/*.test.ts', 'test/pipelines/*.test.ts'],
  'pipelines/stages': ['test/pipelines/stages/**/*.test.ts', 'test/pipelines/*.test.ts'],
  'pipelines/model': ['test/pipelines/{model,stages}/**/*.test.ts', 'test/pipelines/*.test.ts'],
  pipelines: ['test/pipelines/**/*.test.ts'],
};

/** As in jest.config.js. */
const SETUP = ['test/support/equal-bytes.ts', 'test/support/equal-errors.ts'];

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

/** The innermost room of a file or folder. */
const roomOf = (path: string): string =>
  Object.keys(ROOMS).find((room) => path === room || path.startsWith(`${room}/`)) ??
  fail(`${path}: expected a file or a folder of pipelines/`);

/** What Stryker is to change of a file or folder. */
const patternOf = (path: string): string => {
  const target = join(ROOT, path);
  if (!existsSync(target)) return fail(`${path}: no such file or folder`);
  // The pipelines themselves; each room below them has tests of its own.
  return statSync(target).isFile() ? path : path === 'pipelines' ? 'pipelines/*.ts' : `${path}/**/*.ts`;
};

/** Stryker’s report of the files and folders of one room, in one run: it first runs all tests of the room. */
const reportOf = ([room, paths]: readonly [string, readonly string[]], at: number): Report => {
  const config = JSON.parse(readFileSync(join(import.meta.dirname, 'stryker.config.json'), 'utf8'));
  const report = `${WORK}/report-${at}.json`;
  const patterns = paths.map(patternOf);
  const settings = {
    ...config,
    mutate: paths.includes('pipelines/stages') ? [...patterns, '!pipelines/stages/health/**'] : patterns,
    mochaOptions: { ...config.mochaOptions, spec: [...SETUP, ...(ROOMS[room] ?? [])] },
    tempDirName: `${WORK}/sandbox`,
    jsonReporter: { fileName: report },
  };
  mkdirSync(join(ROOT, WORK), { recursive: true });
  writeFileSync(join(ROOT, WORK, 'config.json'), JSON.stringify(settings));
  const stryker = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const { status } = spawnSync(process.execPath, [stryker, 'run', `${WORK}/config.json`], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) fail(`${paths.join(' ')}: Stryker ended with ${status}`);
  return JSON.parse(readFileSync(join(ROOT, report), 'utf8'));
};

const named = process.argv.slice(2).map((path) => path.replace(/\/$/, ''));
const reports = Object.entries(
  Object.groupBy(named.length > 0 ? named : Object.keys(ROOMS), roomOf) as Record<string, readonly string[]>,
).map(reportOf);
const verdict = judge(
  { files: Object.assign({}, ...reports.map(({ files }) => files)) },
  EXPLAINED,
  named.length > 0 ? 0 : undefined,
);
process.stdout.write(`${tableOf(verdict)}\n\n${verdict.score.toFixed(1)} % killed\n`);
for (const fault of verdict.faults) process.stderr.write(`${fault}\n`);
process.exitCode = verdict.faults.length > 0 ? 1 : 0;
