import { STANDARD_FILES } from './load.ts';
import { flagOf, keyOf, SETTINGS, type Setting, type Table, variableOf } from './schema.ts';

const INTRODUCTION = `<!-- Generated from src/config/schema.ts by \`npm run docs\`; edit that file instead. -->

# Configuration

Every setting can be given in a file, in the environment, or as a flag. Of several, the strongest counts:
flag, then environment, then file, then default. \`pulp-streamer check-config --print\` shows every value and where it came from;
a wrong one stops the streamer with exit status 78 and a message that names the place and what was expected there.

## Files

Read where they exist, the latter over the former: ${STANDARD_FILES.map((file) => `\`${file}\``).join(' and ')}.
Files that are named on the command line are read instead of them, and must exist.

\`\`\`ini
[streamer]
# a comment has its own line
port: 8751
interfaces = lo,
  192.0.2.10
\`\`\`

The format is that of Python's ConfigParser, as in Pulp 2: \`key: value\` or \`key = value\`; lines beginning with \`#\` or \`;\` are
comments, and so is the rest of a value's first line from a \`;\` that follows white space; an indented line continues the value above it.
Keys may be written in any case, sections may not. Sections of the same name are merged and the last of several equal keys counts, with
a warning. An unknown key in a section of the streamer's is warned about; all other sections are left to their owners.

Durations are in seconds, or have one of the suffixes \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`. Sizes are in bytes, or have one of the suffixes
\`k\`, \`M\`, \`G\`, \`T\` (powers of 1000) or \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (powers of 1024). A relative path counts from the working directory.

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

/** The text of docs/configuration.md (Markdown), as it follows from the table of settings. */
export const configurationDocs = (table: Table = SETTINGS): string =>
  [INTRODUCTION, ...Object.entries(table).map(describe)].join('\n');
