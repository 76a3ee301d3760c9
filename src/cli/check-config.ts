import type { Command } from 'commander';
import { printSettings, settingsJson } from '../config/print.ts';
import { openGate } from '../gate.ts';
import { listenAddresses } from '../http/addresses.ts';
import { settingsOf, withSettings } from './settings.ts';

export const addCheckConfig = (program: Command): void => {
  withSettings(
    program
      .command('check-config')
      .description('check the configuration; exit status 78 where it is not valid')
      .option('--print', 'show every value and where it comes from, secrets masked')
      .option('--json', 'the same as JSON'),
    'all',
  ).action(async (options: { print?: boolean; json?: boolean }, command: Command) => {
    const loaded = settingsOf(command);
    openGate(loaded.settings);
    await listenAddresses(loaded.settings.interfaces);
    if (options.json) process.stdout.write(`${JSON.stringify(settingsJson(loaded), null, 2)}\n`);
    else if (options.print) process.stdout.write(printSettings(loaded));
    else process.stdout.write('the configuration is valid\n');
  });
};
