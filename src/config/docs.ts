import { STANDARD_FILES } from './load.ts';
import { flagOf, keyOf, SETTINGS, type Setting, type Table, variableOf } from './schema.ts';

const INTRODUCTION = `<!-- Generated from src/config/schema.ts by \`npm run docs\`; edit that file instead. -->

# Configuration

Every setting can be given in a file, in the environment, or as a flag. Of several, the strongest counts:
flag, then environment, then file, then default. A wrong one stops the streamer with exit status 78 and a message that names the place and
what was expected there.

## Files

Read if they exist, each over those before it: ${STANDARD_FILES.map((file) => `\`${file}\``).join(', ')}.
Files that are named on the command line are read instead of them, and must exist.

\`\`\`ini
[streamer]
# a comment has its own line
port: 8751
interfaces = lo,
  192.0.2.10
\`\`\`

Each file is read by its own dialect: \`server.conf\` and \`streamer.conf\` by that of Python's SafeConfigParser, as Pulp 2 reads them,
descriptors of alternate content sources by that of Python 2's ConfigParser, every other file (\`pulp-streamer.conf\`) plainly.

| | \`pulp-streamer.conf\` | \`server.conf\`, \`streamer.conf\` | descriptors |
|---|---|---|---|
| \`%%\` | two percent signs | a percent sign | a percent sign in values with a \`%(\`, otherwise two |
| \`%(key)s\` | itself | the value of another key of the section or of \`[DEFAULT]\` | the same |
| any other \`%\` | itself | an error that names its line | an error in values with a \`%(\`, otherwise itself |
| \`[DEFAULT]\` | a section that nothing reads | is only referred to | its values count in every section of the file |
| \`"…"\` | a JSON string, for values that could not be written otherwise | quotes belong to the value | the same |
| \`\\;\` and \`\\#\` | \`;\` and \`#\` | both characters | the same |
| comment after a value | from a \`;\` that follows white space | the same, if it is the first \`;\` | the same |

Common to all: \`key: value\` or \`key = value\`; lines beginning with \`#\` or \`;\` are comments; a comment after a value ends with its
line; an indented line continues the value above it. Keys may be written in any case, sections may not. Sections of the same name are
merged and the last of several equal keys counts, with a warning. A key of the streamer's sections that is no setting is warned about, and so
is a section whose name is nearly that of one that is read; all other sections are left to their owners.

Durations are in seconds, or have one of the suffixes \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`. Sizes are in bytes, or have one of the suffixes
\`k\`, \`M\`, \`G\`, \`T\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (powers of 1024). A relative path counts from the working directory.

## Checking

\`pulp-streamer check-config\` refuses, with exit status 78, what \`serve\` would refuse, keys that cannot be read included, and names values
of Pulp's files that have no effect here. It changes nothing and connects to nothing, and takes every flag of \`serve\`.

| option | what it does |
|---|---|
| \`--print\`, \`--format text\` | shows every value and where it comes from; secrets are masked |
| \`--json\`, \`--format json\` | the same as JSON |
| \`--format ini\` | writes every value as a \`pulp-streamer.conf\` that loads back to the same settings |
| \`--migrate\` | writes one \`pulp-streamer.conf\` from Pulp's two files (or those after \`--config\`), with a comment for each value that was changed, renamed or has no counterpart; environment and other flags are ignored |
| \`--secrets\` | with \`--format ini\` and \`--migrate\`: also writes passwords, and URLs with passwords. Without it a comment replaces each, and the file loads to the same settings only after you have filled them in |
| \`--deep\` | tries ports, folders, the catalog or Pulp's database, the broker, and one file of each feed and alternate source; exit status 1 if one fails. Run it as the daemon's user, and while the daemon is not running: its ports are taken otherwise |

A file written with \`--secrets\` should be readable by the daemon's user only: set \`umask 077\` first.

## Settings
`;

const code = (text: string): string => (text === '' ? 'empty' : `\`${text}\``);

const describe = ([name, { section, aliases, kind, default: byDefault, meaning, secret }]: [
  string,
  Setting,
]): string => {
  const also = aliases.map((alias) => `, also \`[${alias.section}] ${alias.key}\``).join('');
  return [
    `### \`${keyOf(name)}\``,
    '',
    meaning,
    '',
    `- Expected: ${kind.expected}.${secret ? ' It is a secret, and shown nowhere.' : ''}`,
    `- Default: ${code(byDefault)}`,
    `- File: \`[${section}] ${keyOf(name)}\`${also}`,
    `- Environment: \`${variableOf(name)}\``,
    `- Flag: \`${flagOf(name)} <${kind.placeholder}>\``,
    '',
  ].join('\n');
};

/** The text of docs/reference/configuration.md (Markdown), as it follows from the table of settings. */
export const configurationDocs = (table: Table = SETTINGS): string =>
  [INTRODUCTION, ...Object.entries(table).map(describe)].join('\n');
