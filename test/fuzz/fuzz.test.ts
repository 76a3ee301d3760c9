import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Finished, type Running, startProcess } from '../support/run-process.ts';
import { PLANTED, TARGETS } from './targets/index.ts';

const running: Running[] = [];
afterEach(async () => {
  for (const one of running) one.kill('SIGKILL');
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

const fuzz = (...args: readonly string[]): Promise<Finished> => {
  const one = startProcess(process.execPath, [MAIN, ...args]);
  running.push(one);
  return one.ended;
};

const EXECUTIONS = ['--executions', '100000', '--seed', '1'];

describe('the table of targets in the docs', () => {
  it('names each, and none that does not exist', () => {
    const docs = readFileSync(new URL('../../docs/explanation/fuzzing.md', import.meta.url), 'utf8');
    const rows = docs.split('## What counts')[0]?.match(/^\|[^|]*\|[^|]*\|$/gm) ?? [];
    const named = rows.flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name]) => name));
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(TARGETS).toSorted());
  });
});

describe('the fuzzer', () => {
  it.each(Object.keys(PLANTED))('finds the defect of %s, which is behind two conditions', async (name) => {
    const { status, stdout } = await fuzz(name, ...EXECUTIONS);
    expect(stdout.toString()).toMatch(/^FOUND in .*: planted: /m);
    expect(status).toBe(1);
  });

  it.each(Object.keys(PLANTED))('does not find that of %s in as many executions without feedback', async (name) => {
    const { status, stdout } = await fuzz(name, ...EXECUTIONS, '--blind');
    expect(stdout.toString()).toMatch(/^planted-\w+: 100\d{3} executions, .* 0 findings$/m);
    expect(status).toBe(0);
  });

  it('finds a cost that grows faster than the input, by the number of executed blocks', async () => {
    const { stdout } = await fuzz('bad-cost', '--executions', '2000');
    expect(stdout.toString()).toMatch(/^FOUND in bad-cost: cost: more than linear$/m);
  });

  it('finds an input that is never read to its end', async () => {
    const { stdout } = await fuzz('bad-endless', '--executions', '20000', '--patience', '2');
    expect(stdout.toString()).toMatch(/^FOUND in bad-endless: hang$[\s\S]*^input: ".*x/m);
  });

  it('does the same in each run with the same seed', async () => {
    const runs = ['planted-head', 'planted-head'].map((name) => fuzz(name, '--executions', '20000', '--seed', '2'));
    const [one, other] = await Promise.all(runs);
    expect(one?.stdout.toString()).toBe(other?.stdout.toString());
  });
});
