import type { Command } from 'commander';
import { type CatalogContext, withCatalog } from './catalog-context.ts';
import { toPath } from './importer-options.ts';

/** `catalog refresh`: imports repositories again, as they were imported the last time. */
export const addRefreshCommand = (catalogCommand: Command, context: CatalogContext): void => {
  const command = catalogCommand
    .command('refresh')
    .description('import a repository again, or all of them, unless nothing has changed')
    .argument('[prefix]', 'prefix of the repository', toPath)
    .option('--json', 'print the results as JSON');
  context.prepare(command).action((prefix: string | undefined, { json }: { json?: boolean }) =>
    withCatalog(context, command, async (catalog) => {
      // Loaded only here: other commands need no pipeline.
      const { refreshImports } = await import('./refresh-imports.ts');
      await refreshImports(context, catalog, command, { prefix, json });
    }),
  );
};
