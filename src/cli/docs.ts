import { Argument, type Command } from 'commander';
import { configurationDocs } from '../config/docs.ts';
import { errorsDocs } from '../http/errors-docs.ts';
import { troubleshootingDocs } from '../http/troubleshooting-docs.ts';
import { cliDocs } from './reference.ts';

/** The pages below docs/ that are generated from the code. */
const PAGES: Readonly<Record<string, (program: Command) => string>> = {
  'reference/configuration': configurationDocs,
  'reference/cli': cliDocs,
  'reference/errors': errorsDocs,
  'how-to/troubleshoot': troubleshootingDocs,
};

export const addDocs = (program: Command): void => {
  program
    .command('docs', { hidden: true })
    .description('print a page of the documentation that is generated from the code')
    .addArgument(new Argument('<page>').choices(Object.keys(PAGES)))
    .action((page: string) => {
      process.stdout.write(PAGES[page]?.(program) ?? '');
    });
};
