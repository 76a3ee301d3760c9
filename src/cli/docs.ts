import { Argument, type Command } from 'commander';
import { configurationDocs } from '../config/docs.ts';
import { errorsDocs } from '../http/errors-docs.ts';

const PAGES: Readonly<Record<string, () => string>> = {
  'reference/configuration': configurationDocs,
  'reference/errors': errorsDocs,
};

export const addDocs = (program: Command): void => {
  program
    .command('docs', { hidden: true })
    .description('print a page of the documentation that is generated from the code')
    .addArgument(new Argument('<page>').choices(Object.keys(PAGES)))
    .action((page: string) => {
      process.stdout.write(PAGES[page]?.() ?? '');
    });
};
