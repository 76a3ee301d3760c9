import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { processes } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { CACHES, missing } from './caches.ts';
import type { Finding } from './play.ts';
import { run, type Tally } from './run.ts';
import { settingOf } from './scene.ts';

const numbers = (text: string | undefined) => text?.split(',').map(Number);
const { SEED, REQUESTS, CACHE, STORY, STEPS, SHRINK, REPORT } = process.env;

const replay = ({ seed, end, story }: Finding, steps?: readonly number[]) =>
  `SEED=${seed} CACHE=${end} STORY=${story} ${steps ? `STEPS=${steps.join()} ` : ''}npm run test:caches`;

const say = (finding: Finding, steps?: readonly number[]) =>
  [`${finding.category}: ${finding.what}`, replay(finding, steps), ...finding.history, ''].join('\n');

describe.each(numbers(SEED) ?? [1, 2])('stories of seed %i', (seed) => {
  const { keeps, dispatch } = settingOf(seed);
  const start = processes();
  const folder = temporaryFolders();
  const caches = CACHES.filter(
    ({ name, program }) => (!CACHE || CACHE.split(',').includes(name)) && !missing.includes(program),
  );
  let tally: Tally;

  beforeAll(async () => {
    const options = { requests: Number(REQUESTS ?? 300), stories: numbers(STORY), steps: numbers(STEPS) };
    tally = await run(start, folder, { seed, caches, ...options, shrinks: SHRINK !== undefined });
    const { findings, shrunk, counts } = tally;
    for (const [end, count] of counts)
      process.stdout.write(`${end}: ${[...count].map((one) => one.join(' ')).join(', ')}\n`);
    for (const { finding, steps } of shrunk) process.stdout.write(`\n${say(finding, steps)}`);
    if (REPORT) writeFileSync(REPORT, JSON.stringify({ findings, shrunk }, undefined, 1));
  }, 3_600_000);

  it(`${keeps} ${dispatch}`, () => expect(tally.findings.map((f) => `${f.end} ${f.category} ${f.what}`)).toEqual([]));
});
