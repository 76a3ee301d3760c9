import { Argument, Command, type CommandOptions } from 'commander';
import { version } from '../app/version.ts';

/** A command as `--help` lists it; `load` imports its options and action, and adds them. */
interface Listed {
  readonly usage: string;
  readonly description: string;
  readonly load: (command: Command) => Promise<unknown>;
  readonly options?: CommandOptions;
}

const COMMANDS: readonly Listed[] = [
  {
    usage: 'serve',
    description:
      'run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration, SIGUSR1 opens log_file again',
    load: async (command) => (await import('./serve.ts')).addServe(command),
  },
  {
    usage: 'status',
    description:
      'show how the running daemon is; exit status 0: all works, 1: degraded or draining, 2: not running or not serving, 3: it cannot be asked',
    load: async (command) => (await import('./control.ts')).addStatus(command),
  },
  {
    usage: 'reload',
    description:
      'have the running daemon read its configuration again; exit status 78 if it is not valid, and then nothing changes',
    load: async (command) => (await import('./control.ts')).addReload(command),
  },
  {
    usage: 'drain',
    description:
      'keep new requests away from the running daemon, which still answers those that come, and wait until none runs',
    load: async (command) => (await import('./control.ts')).addDrain(command),
  },
  {
    usage: 'fetch <path>',
    description: 'fetch a path through the same pipeline, without the server',
    load: async (command) => (await import('./fetch.ts')).addFetch(command),
  },
  {
    usage: 'explain <path>',
    description: 'show the catalog entry of a path and the sources that would be tried, in order, without fetching',
    load: async (command) => (await import('./explain.ts')).addExplain(command),
  },
  {
    usage: 'top',
    description: 'show the streams of the running daemon in the terminal, as its live page does',
    load: async (command) => (await import('./top/command.ts')).addTop(command),
  },
  {
    usage: 'catalog',
    description: 'manage the entries of the embedded catalog, and show those of the catalog in use',
    load: async (command) => {
      const [{ addCatalogCommands }, { cliContext }] = await Promise.all([
        import('./catalog.ts'),
        import('./context.ts'),
      ]);
      addCatalogCommands(command, cliContext);
    },
  },
  {
    usage: 'importers',
    description: 'credentials and feed settings that catalog entries refer to',
    load: async (command) => {
      const [{ addImporterCommands }, { cliContext }] = await Promise.all([
        import('./importers.ts'),
        import('./context.ts'),
      ]);
      addImporterCommands(command, cliContext);
    },
  },
  {
    usage: 'sources',
    description: 'alternate content sources and what they offer',
    load: async (command) => {
      const [{ addSourcesCommands }, { sourcesContext }] = await Promise.all([
        import('./sources.ts'),
        import('./sources-context.ts'),
      ]);
      addSourcesCommands(command, sourcesContext);
    },
  },
  {
    usage: 'saves',
    description: 'manage save requests that wait for delivery',
    load: async (command) => {
      const [{ addSavesCommands }, { savesContext }] = await Promise.all([
        import('./saves.ts'),
        import('./saves-context.ts'),
      ]);
      addSavesCommands(command, savesContext);
    },
  },
  {
    usage: 'copies',
    description: 'list, verify and remove saved copies',
    load: async (command) => {
      const [{ addCopiesCommands }, { copiesContext }] = await Promise.all([
        import('./copies.ts'),
        import('./copies-context.ts'),
      ]);
      addCopiesCommands(command, copiesContext);
    },
  },
  {
    usage: 'warm <prefix>',
    description:
      'have the running daemon fetch packages of a repository before clients ask for them; exit status 1 if some could not be fetched, or names match nothing',
    load: async (command) => (await import('./warm.ts')).addWarm(command),
  },
  {
    usage: 'backup <file>',
    description:
      'write catalog, waiting saves and metadata to one file, while the daemon may be running; it holds passwords and private keys',
    load: async (command) => (await import('./backup.ts')).addBackup(command),
  },
  {
    usage: 'restore <file>',
    description: 'put a backup in the place of what the state folder holds; the daemon must not be running',
    load: async (command) => (await import('./backup.ts')).addRestore(command),
  },
  {
    usage: 'export-bundle <file> [prefix...]',
    description:
      'write one file with the catalog, metadata and copies of repositories, for a machine that cannot reach their feeds; the daemon may be running',
    load: async (command) => (await import('./bundle.ts')).addExportBundle(command),
  },
  {
    usage: 'import-bundle <file>',
    description:
      'have the catalog serve what a bundle carries; all of it is verified first, and a run that was ended is continued by the next; the daemon may be running',
    load: async (command) => (await import('./bundle.ts')).addImportBundle(command),
  },
  {
    usage: 'report',
    description: 'report what clients got, what was saved on the line, and how the feeds answered, for the last days',
    load: async (command) => (await import('./report/command.ts')).addReport(command),
  },
  {
    usage: 'client',
    description: 'print the file that makes a machine a client of a repository, and the command that gets it',
    load: async (command) => (await import('./client.ts')).addClient(command),
  },
  {
    usage: 'sign-url <url>',
    description: 'sign a URL, or a path with its query, as Pulp does, and print it',
    load: async (command) => (await import('./signed-urls.ts')).addSignUrl(command),
  },
  {
    usage: 'verify-url <url>',
    description: 'check whether a signed URL is valid; if not, print the reason and exit with status 1',
    load: async (command) => (await import('./signed-urls.ts')).addVerifyUrl(command),
  },
  {
    usage: 'check-config',
    description: 'check the configuration; exit status 78 if it is not valid or serve would refuse it',
    load: async (command) => (await import('./check-config.ts')).addCheckConfig(command),
  },
  {
    usage: 'doctor',
    description:
      'look at configuration, daemon, files, ports, certificates, catalog, broker, feeds, disk and clock, and say what to do about each finding; exit status 0: nothing, 1: warnings, 2: problems, 78: the configuration is not valid',
    load: async (command) => (await import('./doctor.ts')).addDoctor(command),
  },
  {
    usage: 'init',
    description: 'write a configuration file with every setting as a comment; an existing one stays as it is',
    load: async (command) => (await import('./init.ts')).addInit(command),
  },
  {
    usage: 'install-service',
    description: 'install the daemon as a service of systemd; changes of its unit belong into `systemctl edit`',
    load: async (command) => (await import('./install-service.ts')).addInstallService(command),
  },
  {
    usage: 'completion',
    description: 'print the completion of commands and options for a shell',
    // The launcher answers it, from the generated file.
    load: async (command) =>
      command.addArgument(new Argument('<shell>').choices(['bash', 'zsh'])).action(() => undefined),
  },
  {
    usage: 'demo',
    description:
      'show the main job: a feed that demands a client certificate, a source on disk, and what comes of a few requests',
    load: async (command) => (await import('./demo/command.ts')).addDemo(command),
  },
  {
    usage: 'docs',
    description: 'print a page of the documentation that is generated from the code',
    load: async (command) => (await import('./docs.ts')).addDocs(command, () => createProgram()),
    options: { hidden: true },
  },
  {
    usage: 'version',
    description: 'show the version',
    load: async (command) =>
      command.action(() => {
        process.stdout.write(`${version}\n`);
      }),
  },
];

/**
 * The program, not yet parsed: it throws a CommanderError instead of ending the process. With the
 * words of a command line, only commands that occur among them are loaded. The others are listed
 * by `--help`, which so starts without the daemon's modules. Without words, all are loaded.
 */
export const createProgram = async (words?: readonly string[]): Promise<Command> => {
  const program = new Command('pulp-streamer')
    .description('A streaming origin that fetches content at the moment it is requested.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: false });
  for (const { usage, description, load, options } of COMMANDS) {
    const command = program.command(usage, options).description(description);
    if (!words || words.includes(command.name())) await load(command);
  }
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
