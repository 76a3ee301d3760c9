import type { Command } from 'commander';
import { configurationDocs } from '../config/docs.ts';

export const addDocs = (program: Command): void => {
  program
    .command('docs', { hidden: true })
    .description('print the documentation that is generated from the code')
    .action(() => {
      process.stdout.write(configurationDocs());
    });
};
