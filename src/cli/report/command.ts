import { type Command, InvalidArgumentError, Option } from 'commander';
import { worthFolder } from '../../app/state-folder.ts';
import { readDays } from '../../app/worth.ts';
import { integer } from '../../config/kinds.ts';
import { asJson } from '../one-line.ts';
import { stateOf, withSettings } from '../settings.ts';
import { summaryOf } from './summary.ts';
import { reportAsText } from './text.ts';

interface Options {
  readonly days: number;
  readonly json?: boolean;
  readonly html?: boolean;
}

const DAYS = integer(1, 400);

const toDays = (text: string): number => {
  const days = DAYS.read(text);
  if (days === undefined) throw new InvalidArgumentError(`expected ${DAYS.expected}`);
  return days;
};

/** `report`: what the daemon has written down of each day. */
export const addReport = (command: Command): void => {
  withSettings(command, ['stateDir'])
    .option('--days <number>', 'days up to today, in UTC', toDays, 30)
    .option('--json', 'print the figures as JSON; sizes in bytes')
    .addOption(
      new Option('--html', 'print one page with a chart that needs nothing else, to hand it on').conflicts('json'),
    )
    .action(async ({ days, json = false, html = false }: Options, of: Command) => {
      const now = Date.now();
      const summary = summaryOf(await readDays(worthFolder(stateOf(of)), days, now), days, now);
      if (json) process.stdout.write(`${asJson(summary, 2)}\n`);
      else if (html) process.stdout.write((await import('./html.ts')).reportAsHtml(summary));
      else process.stdout.write(reportAsText(summary));
    });
};
