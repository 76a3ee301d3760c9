#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load.ts';
import { UnknownInterfaceError } from '../http/addresses.ts';
import { version } from '../package.ts';
import { addCatalogCommands } from './catalog.ts';
import { addCheckConfig } from './check-config.ts';
import { cliContext } from './context.ts';
import { addDemo } from './demo/demo.ts';
import { addDocs } from './docs.ts';
import { addExplain } from './explain.ts';
import { addFetch } from './fetch.ts';
import { addImporterCommands } from './importers.ts';
import { addServe } from './serve.ts';
import { addSourcesCommands } from './sources.ts';
import { sourcesContext } from './sources-context.ts';

/** What a shell or a service manager can tell from the exit status; 78 is EX_CONFIG of sysexits.h. */
const EXIT = { failed: 1, usage: 2, configuration: 78 } as const;

const program = new Command('pulp-streamer')
  .description('A streaming origin that fetches content the moment somebody asks for it.')
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
addCheckConfig(program);
addDemo(program);
addDocs(program);
program
  .command('version')
  .description('show the version')
  .action(() => {
    process.stdout.write(`${version}\n`);
  });

/** Commander's subcommands do not inherit `exitOverride` from a parent that they were added to before. */
const overrideExits = (command: Command): void => {
  command.exitOverride();
  for (const sub of command.commands) overrideExits(sub);
};
overrideExits(program);

// Whoever reads our output may stop reading, as `head` does: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else if (error instanceof ConfigError || error instanceof UnknownInterfaceError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT.configuration;
  } else {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
