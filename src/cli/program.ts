import { Command } from 'commander';
import { version } from '../app/version.ts';
import { addCatalogCommands } from './catalog.ts';
import { addCheckConfig } from './check-config.ts';
import { cliContext } from './context.ts';
import { addCopiesCommands } from './copies.ts';
import { copiesContext } from './copies-context.ts';
import { addDemo } from './demo/command.ts';
import { addDocs } from './docs.ts';
import { addExplain } from './explain.ts';
import { addFetch } from './fetch.ts';
import { addImporterCommands } from './importers.ts';
import { addSavesCommands } from './saves.ts';
import { savesContext } from './saves-context.ts';
import { addServe } from './serve.ts';
import { addSignedUrlCommands } from './signed-urls.ts';
import { addSourcesCommands } from './sources.ts';
import { sourcesContext } from './sources-context.ts';

/** Every command, not yet parsed: it throws a CommanderError instead of ending the process. */
export const createProgram = (): Command => {
  const program = new Command('pulp-streamer')
    .description('A streaming origin that fetches content at the moment it is requested.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: false });

  addServe(program);
  addFetch(program);
  addExplain(program);
  addCatalogCommands(program, cliContext);
  addImporterCommands(program, cliContext);
  addSourcesCommands(program, sourcesContext);
  addSavesCommands(program, savesContext);
  addCopiesCommands(program, copiesContext);
  addSignedUrlCommands(program);
  addCheckConfig(program);
  addDemo(program);
  addDocs(program);
  program
    .command('version')
    .description('show the version')
    .action(() => {
      process.stdout.write(`${version}\n`);
    });
  overrideExits(program);
  return program;
};

/**
 * Commander's subcommands do not inherit `exitOverride` from a parent that they were added to
 * before.
 */
const overrideExits = (command: Command): void => {
  command.exitOverride();
  for (const sub of command.commands) overrideExits(sub);
};
