import type { Command } from 'commander';
import type { CatalogContext } from './catalog-context.ts';
import { oneLine } from './one-line.ts';

export const addVacuumCommand = (catalogs: Command, context: CatalogContext): void => {
  context
    .prepare(catalogs.command('vacuum'))
    .description(
      'give the space of removed entries back to the disk; the daemon serves requests as before, changes of the catalog wait',
    )
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const done = context.vacuum(command);
      const text = `${oneLine(done.file)}: ${done.before} bytes before, ${done.after} bytes now`;
      context.stdout.write(`${json ? JSON.stringify(done) : text}\n`);
    });
};
