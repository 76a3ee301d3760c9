import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { MISTAKES, type Mistake } from './mistakes.ts';
import { type Answered, openScene } from './scene.ts';

const start = processes();
const folder = temporaryFolders();
const FILE = join(import.meta.dirname, 'answers.txt');

const KNOWN: Mistake = { args: 'catalog add /known http://127.0.0.1:{closed}/known' };

const shown = ({ args, config, env }: Mistake, { status, stdout, stderr }: Answered): string => {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value} `);
  const lines =
    config === undefined
      ? []
      : config
          .replace(/^=/, '')
          .split('\n')
          .map((line) => `| ${line}`);
  return [
    `$ ${variables.join('')}pulp-streamer ${args}`,
    ...lines,
    `${stdout}${stderr}`.trimEnd(),
    `= ${status}`,
    '',
  ].join('\n');
};

it('every mistake is answered with what was wrong, where, and what was expected', async () => {
  const scene = await openScene(start, folder());
  try {
    const [, ...answers] = await scene.make([KNOWN, ...MISTAKES]);
    expect(answers).toHaveLength(MISTAKES.length);
    const text = scene.asWritten(MISTAKES.map((one, index) => shown(one, answers[index]!)).join('\n'));
    if (process.env.WRITE_ANSWERS) writeFileSync(FILE, text);
    expect(text.split('\n\n')).toEqual(readFileSync(FILE, 'utf8').split('\n\n'));
    expect(MISTAKES.length).toBeGreaterThanOrEqual(100);
  } finally {
    await scene.close();
  }
});
