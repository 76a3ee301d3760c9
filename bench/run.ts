/**
 * `npm run bench [-- quick] [--json] [--record] [SCENARIO …]`: what the product costs, beside other
 * programs that do the same work in the same run. docs/explanation/benchmarks.md explains it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/app/version.ts';
import { type Result, ratiosOf } from './contest.ts';
import { findCores } from './machine.ts';
import { measure } from './measure.ts';
import { comparisonOf, tableOf } from './report.ts';
import { MORE, SCENARIOS } from './scenarios/index.ts';
import { sizesOf } from './sizes.ts';

const RATIOS = join(packageRoot, 'bench/ratios.json');
const RESULTS = join(packageRoot, 'bench/results.json');

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } },
});
const quick = positionals[0] === 'quick';
const names = quick ? positionals.slice(1) : positionals;
const all = { ...SCENARIOS, ...MORE };
const unknown = names.find((name) => !(name in all));
if (unknown !== undefined) fail(`unknown scenario ${unknown}; expected some of ${Object.keys(all).join(', ')}`);
const scenarios =
  names.length > 0 ? Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))) : SCENARIOS;

const built = spawnSync('npm', ['run', '--silent', 'build'], {
  cwd: packageRoot,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (built.status !== 0) fail('npm run build failed');

const began = performance.now();
const sizes = sizesOf(quick, process.env);
const cores = findCores();
const [cpu] = cpus();
const load = loadavg()[0]?.toFixed(1);
const machine = [
  `${cpu?.model.trim()}, ${cpus().length} cores, Node ${process.version}, load ${load} at the start`,
  cores
    ? `contenders on core ${cores.contender}, load on core ${cores.load}, feeds on core ${cores.origin}`
    : 'processes are not pinned: that takes two cores and taskset',
  `${quick ? 'quick: ' : ''}${sizes.warmUp} small requests to warm up, ${sizes.rounds} rounds`,
].join('\n');
process.stderr.write(`${machine}\n`);

const read = (file: string) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
const write = (file: string, content: unknown): void =>
  writeFileSync(
    file,
    `${JSON.stringify(content, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`,
  );
/** Results of other scenarios stay, in the order of all. One that is named keeps its own machine. */
const record = (name: string, measured: readonly Result[]): void => {
  const before = read(RESULTS);
  const named = names.length > 0;
  const scenarios = { ...before.scenarios, [name]: measured };
  write(RESULTS, {
    machine: named ? (before.machine ?? machine) : machine,
    machines: { ...before.machines, [name]: named ? machine : undefined },
    scenarios: Object.fromEntries(Object.keys(all).flatMap((key) => (key in scenarios ? [[key, scenarios[key]]] : []))),
  });
};

const measured = await measure({
  scenarios,
  sizes,
  cores,
  main: join(packageRoot, 'dist/cli/launcher.cjs'),
  begun: (name) => process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${name}\n`),
  measured: values.record && !quick ? record : undefined,
});
const results = Object.values(measured).flat();
const ratios = ratiosOf(results);
const medians = Object.fromEntries(
  Object.entries(ratios).map(([name, ratio]) => [name, Number(ratio.median.toPrecision(3))]),
);

if (values.json) process.stdout.write(`${JSON.stringify(medians, null, 2)}\n`);
else process.stdout.write(`${[machine, ...results.map(tableOf)].join('\n\n')}\n`);
if (values.record && quick) write(RATIOS, { ...read(RATIOS), ...medians });
else if (values.record) {
  // The chart and the tables of the page.
  spawnSync('npm', ['run', '--silent', 'pictures'], { cwd: packageRoot, stdio: 'inherit' });
} else if (quick && !values.json) process.stdout.write(`\n${comparisonOf(read(RATIOS), ratios)}\n`);
process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  done\n`);
