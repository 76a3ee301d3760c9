import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { UnknownInterfaceError } from '../http/unknown-interface.ts';
import { leadsToJournal, PRIORITY } from '../lib/journal.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { oneLine } from './one-line.ts';
import { createProgram } from './program.ts';

/** Exit statuses; 78 is EX_CONFIG of sysexits.h. */
const EXIT = { failed: 1, usage: 2, configuration: 78 } as const;

const complain = (message: string): void => {
  const prefix = leadsToJournal(2, process.env) ? `<${PRIORITY.error}>` : '';
  process.stderr.write(
    message
      .split('\n')
      .map((line) => `${prefix}${oneLine(line)}\n`)
      .join(''),
  );
};

const report = (error: unknown): void => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else if (error instanceof ConfigError || error instanceof UnknownInterfaceError) {
    complain(error.message);
    process.exitCode = EXIT.configuration;
  } else {
    complain(`error: ${maskUrl(messageOf(error))}`);
    process.exitCode = EXIT.failed;
  }
};

/** Runs the command of the command line; a failure is reported, and is the exit status. */
export const main = async (): Promise<void> => {
  try {
    const program = await createProgram(process.argv.slice(2));
    await program.parseAsync();
  } catch (error) {
    report(error);
  }
};

// The launcher calls `main`. Who starts this file itself, as units of earlier versions do, gets the same.
if (import.meta.main) void main();
