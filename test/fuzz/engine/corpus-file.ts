import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of JSON for each input: its bytes as characters up to 255, in ASCII. */
export const toLine = (input: Buffer): string =>
  JSON.stringify(input.toString('latin1')).replace(
    /[\x7f-\xff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export const fromLine = (line: string): Buffer => Buffer.from(String(JSON.parse(line)), 'latin1');

const FOLDER = join(import.meta.dirname, '..', 'corpus');

const fileOf = (target: string): string => join(FOLDER, `${target}.jsonl`);

/** The committed inputs of a target; none if it has no file yet. */
export const readCorpus = (target: string): Buffer[] =>
  existsSync(fileOf(target)) ? readFileSync(fileOf(target), 'utf8').split('\n').filter(Boolean).map(fromLine) : [];

/** Shortest first, so that a change shows as few lines. */
export const writeCorpus = (target: string, inputs: readonly Buffer[]): void => {
  const lines = inputs.map(toLine).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(target), lines.map((line) => `${line}\n`).join(''));
};
