import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { processes } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { CACHES, missing } from './caches.ts';
import { ALONE, type Finding } from './play.ts';
import { run, type Tally } from './run.ts';
import { settingOf } from './setting.ts';

/**
 * The seeds of CI. docs/explanation/reliability.md lists their findings in a version that had the
 * defects.
 */
const SEEDS = [3, 6, 10];
const REQUESTS = 300;

const numbers = (text: string | undefined) => text?.split(',').map(Number);
const { SEED, STORY, STEPS, CACHE, SHRINK, REPORT } = process.env;
const requests = Number(process.env.REQUESTS ?? REQUESTS);
const isChosen = SEED !== undefined || STORY !== undefined || CACHE !== undefined;

const describeFinding = (finding: Finding, steps?: readonly number[]): string => {
  const { seed, end, story, category, what, history } = finding;
  const chosen = { SEED: seed, CACHE: end, STORY: story, ...(steps && { STEPS: steps }) };
  const replay = Object.entries(chosen).map(([name, value]) => `${name}=${value}`);
  return [`${end}: ${category}: ${what}`, `${replay.join(' ')} npm run test:caches`, ...history].join('\n');
};

const chosen = CACHES.filter(({ name }) => CACHE?.split(',').includes(name) ?? true);
const installed = chosen.filter(({ program }) => !missing.includes(program));

describe.each(numbers(SEED) ?? SEEDS)('stories of seed %i', (seed) => {
  const { keeps, dispatch } = settingOf(seed);
  const start = processes();
  const folder = temporaryFolders();
  let tally: Tally;

  beforeAll(async () => {
    const which = { stories: numbers(STORY), steps: numbers(STEPS), requests };
    tally = await run(start, folder, { seed, caches: installed, ...which, shrinks: SHRINK !== undefined });
    const { findings, shrunk, counts } = tally;
    if (REPORT) writeFileSync(REPORT, JSON.stringify({ findings, shrunk }, undefined, 1));
    if (!isChosen) return;
    const lines = [...counts].map(
      ([end, count]) => `${end}: ${[...count].map(([what, n]) => `${n} ${what}`).join(', ')}`,
    );
    const shorter = shrunk.map(({ finding, steps }) => describeFinding(finding, steps));
    process.stdout.write(`${[...lines, ...shorter].join('\n\n')}\n`);
  }, 3_600_000);

  const expectNothing = (end: string) => {
    const found = tally.findings.filter((finding) => finding.end === end);
    if (found.length === 0) return;
    const texts = found.slice(0, 3).map((finding) => describeFinding(finding));
    throw new Error([`${found.length} findings; the first are:`, ...texts].join('\n\n'));
  };

  const title = `kept for ${keeps} s, ${dispatch === 'save' ? 'with' : 'without'} saved copies`;

  it(`are answered correctly by the streamer alone, ${title}`, () => expectNothing(ALONE));

  for (const { name, program } of chosen) {
    const isInstalled = !missing.includes(program);
    const what = `are answered correctly behind ${name}, ${title}${isInstalled ? '' : ` (skipped: needs ${program})`}`;
    (isInstalled ? it : it.skip)(what, () => expectNothing(name));
  }

  it('leave no error output of the daemon', () => expect(tally.stderr).toBe(''));

  if (isChosen) return;
  it('cover every kind of request and answer, also from the caches', () => {
    for (const [end, count] of tally.counts) {
      // Whether a cache answers 416 beyond the end depends on its content at that moment.
      const only = end === ALONE ? ['416'] : ['hit'];
      const wanted = ['200', '206', '304', '412', '502', 'multipart', 'left', ...only];
      expect({ end, without: wanted.filter((what) => !count.has(what)) }).toEqual({ end, without: [] });
    }
  });
});
