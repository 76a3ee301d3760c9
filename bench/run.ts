/**
 * `npm run bench [-- relay|slow|saves|catalog|import|mongodb …]`: costs, each compared with another
 * program that does the same work in the same run. Environment: BENCH_ROUNDS, and the sizes that the
 * suites name.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalog } from './catalog.ts';
import { imports } from './import.ts';
import { mongodb } from './mongodb.ts';
import { relay, slow } from './relay.ts';
import { saves } from './saves.ts';

/** Each suite gets a new folder, which is removed afterwards. */
const SUITES: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  relay,
  slow,
  saves,
  catalog,
  import: imports,
  mongodb,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = wanted.filter((name) => !SUITES[name]);
if (unknown.length > 0) {
  process.stderr.write(`unknown suite: ${unknown.join(', ')}; expected ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}

const [cpu] = cpus();
process.stdout.write(
  `${cpu?.model.trim()}, ${cpus().length} cores, Node ${process.version}; interleaved rounds, medians\n`,
);
for (const name of wanted) {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-bench-'));
  try {
    await SUITES[name]?.(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
