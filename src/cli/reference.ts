import type { Command } from 'commander';
import { flagsOf } from '../config/schema.ts';

const INTRODUCTION = `<!-- Generated from the commands in src/cli/ by \`npm run docs\`; edit those, or reference.ts in that folder, instead. -->

# Command line

Each command prints its usage with \`--help\`. Commands that depend on settings read the same files and environment variables as the
daemon. \`--config FILE…\` names other files, and the settings that matter to the command are also flags
([Configuration](configuration.md)).

| exit status | meaning |
|---|---|
| 0 | the command succeeded |
| 1 | the command failed; standard error has the reason |
| 2 | the command line is wrong: unknown command or option, missing or invalid argument |
| 78 | the configuration is invalid (\`EX_CONFIG\` of sysexits.h) |
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
  rows.length === 0
    ? []
    : ['', `| ${title} | |`, '|---|---|', ...rows.map(([term, text]) => `| \`${cell(term)}\` | ${cell(text)} |`)];

const SETTING_FLAGS = flagsOf();
/** Whether an option is one of the settings, which have a page of their own. */
export const isSetting = (flags: string): boolean => SETTING_FLAGS.some((flag) => flag.flags === flags);
const isConfig = (flags: string): boolean => flags.startsWith('--config ');

/**
 * Lists the settings that a command takes as flags, in one line. docs/reference/configuration.md
 * describes each.
 */
const settingsLine = (flags: readonly string[]): string[] => {
  const names = SETTING_FLAGS.filter((flag) => flags.includes(flag.flags)).map(
    (flag) => flag.flags.split(' ')[0] ?? '',
  );
  if (names.length === 0) return flags.some(isConfig) ? ['', 'Settings: `--config`.'] : [];
  if (names.length === SETTING_FLAGS.length) return ['', 'Settings: `--config`, and every setting as a flag.'];
  return [
    '',
    `Settings: \`--config\`, ${names.map((name) => `[\`${name}\`](configuration.md#${name.slice(2).replaceAll('-', '_')})`).join(', ')}.`,
  ];
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The full name as typed: `catalog import`. */
export const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

/**
 * The commands that can be run: those without subcommands, in the order of `--help`, without hidden
 * ones.
 */
export const leavesOf = (command: Command): Command[] => {
  const subcommands = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
  return subcommands.length === 0 ? [command] : subcommands.flatMap(leavesOf);
};

const describe = (command: Command): string => {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return [
    `## \`${nameOf(command)}\``,
    '',
    sentence(help.commandDescription(command)),
    '',
    '```',
    help.commandUsage(command),
    '```',
    ...table(
      'argument',
      help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ),
    ...table(
      'option',
      options
        .filter(({ flags }) => !isSetting(flags) && !isConfig(flags))
        .map((one) => [help.optionTerm(one), help.optionDescription(one)]),
    ),
    ...settingsLine(options.map(({ flags }) => flags)),
    '',
  ].join('\n');
};

/** The text of docs/reference/cli.md (Markdown), generated from the commands of the program. */
export const cliDocs = (program: Command): string => {
  const leaves = leavesOf(program);
  const list = leaves.map((leaf) => {
    const name = nameOf(leaf);
    return `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(leaf.description())} |`;
  });
  return [INTRODUCTION, '| command | |', '|---|---|', ...list, '', ...leaves.map(describe)].join('\n');
};
