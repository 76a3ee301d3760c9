import { Argument, type Command } from 'commander';
import { configurationDocs } from '../config/docs.ts';
import { optionTypes } from '../config/option-types.ts';
import { errorsDocs } from '../http/errors-docs.ts';
import { troubleshootingDocs } from '../http/troubleshooting-docs.ts';
import { metricsDocs } from '../observe/metrics/docs.ts';
import { bashCompletion, zshCompletion } from './completion.ts';
import { manPage } from './man.ts';
import { cliDocs } from './reference.ts';

/** The pages below docs/ that are generated from the code, the types of options, and the files for shells in this folder. */
const PAGES: Readonly<Record<string, (program: Command) => string | Promise<string>>> = {
  'reference/configuration': configurationDocs,
  'reference/cli': cliDocs,
  'reference/errors': errorsDocs,
  'reference/metrics': metricsDocs,
  'how-to/troubleshoot': troubleshootingDocs,
  'pulp-streamer.1': manPage,
  'options.ts': optionTypes,
  'completion.bash': bashCompletion,
  'completion.zsh': zshCompletion,
};

/** `createProgram` makes the program that is described. */
export const addDocs = (docs: Command, createProgram: () => Promise<Command>): void => {
  docs.addArgument(new Argument('<page>').choices(Object.keys(PAGES))).action(async (page: string) => {
    process.stdout.write((await PAGES[page]?.(await createProgram())) ?? '');
  });
};
