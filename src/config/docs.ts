import { GROUPS } from './groups.ts';
import { STANDARD_FILES } from './load.ts';
import { RELOADS } from './reload.ts';
import { flagOf, keyOf, SETTINGS, type Setting, type SettingName, variableOf } from './schema.ts';

const INTRODUCTION = `<!-- Generated from src/config/schema.ts by \`npm run docs\`; edit that file, groups.ts or docs.ts in its folder, instead. -->

# Configuration

A setting is given in a file, in the environment, or as a flag. If it is given more than once, the strongest wins: flag, then
environment, then file, then default. An invalid value stops the streamer with exit status 78. The message names the place and the
values that are expected there.

\`pulp-streamer reload\`, or SIGHUP, has the running daemon read its configuration again: the same files, with the environment and the flags
of its start. A configuration that is not valid changes nothing. Settings with *reload* then apply; the log and the answer name those
that differ and need a restart ([Control a running daemon](../how-to/control.md)).
`;

const FILES = `## Files

These files are read if they exist, and a later one overrides an earlier one: ${STANDARD_FILES.map((file) => `\`${file}\``).join(', ')}.
Files named on the command line (\`--config\`) are read instead of them, and must exist.

\`\`\`ini
[streamer]
# a comment has its own line
port: 8751
interfaces = lo,
  192.0.2.10
\`\`\`

Each file has its dialect. \`server.conf\` and \`streamer.conf\` are read as Python's SafeConfigParser reads them, as in Pulp 2.
Descriptors of alternate content sources are read as Python 2's ConfigParser reads them. Every other file
(\`pulp-streamer.conf\`) is plain.

| | \`pulp-streamer.conf\` | \`server.conf\`, \`streamer.conf\` | descriptors |
|---|---|---|---|
| \`%%\` | two percent signs | a percent sign | a percent sign in values with a \`%(\`, otherwise two |
| \`%(key)s\` | itself | the value of another key of the section or of \`[DEFAULT]\` | the same |
| any other \`%\` | itself | an error that names its line | an error in values with a \`%(\`, otherwise itself |
| \`[DEFAULT]\` | a section that nothing reads | is only referred to | its values apply to every section of the file |
| \`"…"\` | a JSON string, for values that could not be written otherwise | quotes belong to the value | the same |
| \`\\;\` and \`\\#\` | \`;\` and \`#\` | both characters | the same |
| comment after a value | from a \`;\` that follows white space | the same, if it is the first \`;\` | the same |

Common to all dialects:

- A line is \`key: value\` or \`key = value\`. An indented line continues the value above it.
- A line that begins with \`#\` or \`;\` is a comment. A comment after a value ends with its line.
- Keys may be written in any case, sections may not.
- Sections of the same name are merged. Of several equal keys the last one applies, with a warning.
- A warning names each key of the streamer's sections that is not a setting, and each section whose name is nearly that of one
  that is read. All other sections are ignored.

Durations are in seconds, or have one of the suffixes \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`. Sizes are in bytes, or have one of the suffixes
\`k\`, \`M\`, \`G\`, \`T\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (powers of 1024). A relative path starts at the working directory.

## Checking

\`pulp-streamer check-config\` takes every flag of \`serve\`. It refuses, with exit status 78, whatever \`serve\` would refuse,
including keys that cannot be read. It names the values of Pulp's files that have no effect here. Without \`--deep\` it changes
nothing and connects to nothing.

| option | effect |
|---|---|
| \`--print\`, \`--format text\` | shows every value and its origin; secrets are masked |
| \`--json\`, \`--format json\` | the same as JSON |
| \`--format ini\` | writes every value as a \`pulp-streamer.conf\` that loads to the same settings |
| \`--migrate\` | writes one \`pulp-streamer.conf\` from Pulp's two files (or those after \`--config\`), with a comment for each value that was changed, renamed or has no counterpart; environment and other flags are ignored |
| \`--secrets\` | with \`--format ini\` and \`--migrate\`: also writes passwords, and URLs with passwords. Without it a comment replaces each of them, and the file loads to the same settings only after you have filled them in |
| \`--deep\` | tries ports, folders, the catalog or Pulp's database, the broker, and one file of each feed and alternate source; exit status 1 if one fails. Run it as the daemon's user, and while the daemon is stopped: otherwise its ports are taken |

A file written with \`--secrets\` should be readable by the daemon's user only: set \`umask 077\` first.
`;

const code = (text: string): string => (text === '' ? 'empty' : `\`${text}\``);

/** What the default is if something else is set. */
const otherwise = ({ implied }: Setting): string => {
  if (!implied) return '';
  const { text, bySections, bySetting, being } = implied;
  const reasons = [
    ...(bySections ? [`a file has a section ${bySections.map((name) => `\`[${name}]\``).join(' or ')}`] : []),
    `\`${keyOf(bySetting)}\` is ${being === undefined ? 'set' : code(being)}`,
  ];
  return `; ${code(text)} if ${reasons.join(' or ')}`;
};

/** The first sentence: it ends at a full stop that a capital letter follows. */
const firstSentence = (text: string): string => text.split(/(?<=\.)\s(?=[\p{Lu}`])/u)[0] ?? '';

const row = (name: SettingName): string => {
  const { default: byDefault, implied, meaning }: Setting = SETTINGS[name];
  const either = [byDefault, ...(implied ? [implied.text] : [])].map(code).join(' or ');
  return `| [\`${keyOf(name)}\`](#${keyOf(name)}) | ${either} | ${RELOADS[name] === true ? 'yes' : ''} | ${firstSentence(meaning).replaceAll('|', '\\|')} |`;
};

const overview = ([group, names]: [string, readonly SettingName[]]): string =>
  [`**${group}**`, '', '| setting | default | reload | meaning |', '|---|---|---|---|', ...names.map(row), ''].join(
    '\n',
  );

const describe = (name: SettingName): string => {
  const setting: Setting = SETTINGS[name];
  const { section, aliases, kind, default: byDefault, meaning, secret } = setting;
  const also = aliases.map((alias) => `, also \`[${alias.section}] ${alias.key}\``).join('');
  return [
    `### \`${keyOf(name)}\``,
    '',
    meaning,
    '',
    `- Expected: ${kind.expected}.${secret ? ' It is a secret, and shown nowhere. `credential:NAME` reads it from a credential of systemd.' : ''}${kind.credential ? ' `credential:NAME` is the file of a credential of systemd.' : ''}`,
    `- Default: ${code(byDefault)}${otherwise(setting)}`,
    `- New value: ${RELOADS[name] === true ? 'with a reload' : `with a restart: ${RELOADS[name]}`}`,
    `- File: \`[${section}] ${keyOf(name)}\`${also}`,
    `- Environment: \`${variableOf(name)}\``,
    `- Flag: \`${flagOf(name)} <${kind.placeholder}>\``,
    '',
  ].join('\n');
};

const details = ([group, names]: [string, readonly SettingName[]]): string =>
  [`## ${group}`, '', ...names.map(describe)].join('\n');

/** The text of docs/reference/configuration.md (Markdown), generated from the table of settings. */
export const configurationDocs = (): string => {
  const groups = Object.entries(GROUPS);
  return [INTRODUCTION, ...groups.map(overview), FILES, ...groups.map(details)].join('\n');
};
