import type { Command } from 'commander';
import { version } from '../app/version.ts';
import { STANDARD_FILES } from '../config/load.ts';
import { isSetting, leavesOf, nameOf } from './reference.ts';

/** Text of roff: what would be its language is escaped. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');

const terms = (rows: readonly (readonly [term: string, text: string])[]): string =>
  rows.map(([term, text]) => `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}\n`).join('');

const described = (command: Command): string => {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ flags, long }) => long !== '--help' && !isSetting(flags));
  return [
    `.SS "${roff(nameOf(command))}"\n`,
    `${roff(command.description())}.\n.PP\n\\fB${roff(help.commandUsage(command))}\\fR\n`,
    terms(options.map((one) => [help.optionTerm(one), help.optionDescription(one)])),
  ].join('');
};

/** The manual page pulp-streamer(1) in roff, generated from the commands of the program. */
export const manPage = (program: Command): string =>
  [
    `.TH PULP\\-STREAMER 1 "" "pulp\\-streamer ${roff(version)}"\n`,
    '.SH NAME\npulp\\-streamer \\- a streaming origin behind caching proxies\n',
    '.SH SYNOPSIS\n\\fBpulp\\-streamer\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n',
    `.SH DESCRIPTION\n${roff(program.description())} It stands behind a caching proxy, takes each file from a saved copy, an alternate source or the upstream feed, and verifies it while it passes.\n`,
    '.PP\nCommands that depend on settings take \\fB\\-\\-config\\fR \\fIFILE\\fR, and settings as options. \\fBpulp\\-streamer init \\-\\fR prints all settings with their meanings.\n',
    `.SH COMMANDS\n${leavesOf(program).map(described).join('')}`,
    `.SH FILES\n${terms([...STANDARD_FILES.map((file) => [file, 'settings, the later file over the earlier'] as const), ['/var/lib/pulp-streamer', 'catalog, pending saves and saved copies']])}`,
    `.SH EXIT STATUS\n${terms([
      ['0', 'the command succeeded'],
      ['1', 'it failed; standard error has the reason'],
      ['2', 'the command line is wrong'],
      ['78', 'the configuration is invalid'],
    ])}`,
  ].join('');
