import type { Command } from 'commander';

/** What may follow a command: its subcommands and options, and the choices of its arguments. */
interface Place {
  /** The words before: `catalog import`. */
  readonly words: string;
  readonly next: readonly string[];
}

const placesOf = (command: Command, words: readonly string[] = []): readonly Place[] => {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const next = [
    ...subcommands.map((one) => one.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...help.visibleOptions(command).flatMap(({ long }) => long ?? []),
  ];
  return [
    { words: words.join(' '), next },
    ...subcommands.filter((one) => one.name() !== 'help').flatMap((one) => placesOf(one, [...words, one.name()])),
  ];
};

const HEAD = '# Generated from the commands in src/cli/ by `npm run docs`.';

const cases = (places: readonly Place[]): string =>
  places.map(({ words, next }) => `    '${words}') found='${next.join(' ')}' ;;`).join('\n');

/** The longest place that the words of a line lead to, in the shell’s own language: both know it. */
const place = (places: readonly Place[]): string => `  local word place= found=
  for word in "$@"; do
    case "$place $word" in
${places
  .filter(({ words }) => words !== '')
  .map(({ words }) => `      '${words.includes(' ') ? '' : ' '}${words}') place='${words}' ;;`)
  .join('\n')}
    esac
  done
  case "$place" in
${cases(places)}
  esac`;

/** The file for bash; without a match, names of files are completed. */
export const bashCompletion = (program: Command): string => `${HEAD}
_pulp_streamer() {
  _pulp_streamer_words "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=($(compgen -W "$_pulp_streamer_next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_pulp_streamer_words() {
${place(placesOf(program))}
  _pulp_streamer_next=$found
}
complete -o bashdefault -o default -F _pulp_streamer pulp-streamer
`;

/** The file for zsh, to be named \`_pulp-streamer\` in a folder of \`fpath\`. */
export const zshCompletion = (program: Command): string => `#compdef pulp-streamer
${HEAD}
_pulp_streamer_words() {
${place(placesOf(program))}
  _pulp_streamer_next=$found
}
_pulp-streamer() {
  local _pulp_streamer_next
  _pulp_streamer_words "\${(@)words[2,CURRENT-1]}"
  compadd -- \${=_pulp_streamer_next} || _files
}
if [ "$funcstack[1]" = _pulp-streamer ]; then
  _pulp-streamer
else
  compdef _pulp-streamer pulp-streamer
fi
`;
