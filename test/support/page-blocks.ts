import { readFileSync } from 'node:fs';

/** The files that a page of docs/ shows: the code blocks whose fence states a name, such as `ts main.ts`. */
export const filesOfPage = (page: string): readonly (readonly [name: string, code: string])[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(
    ([, name = '', code = '']) => [name, code] as const,
  );

/** What a page shows as the output of a command. */
export const shownAfter = (page: string, command: string): string => {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const block = blocks.find((text) => text.startsWith(`$ ${command}\n`));
  if (block === undefined) throw new Error(`${page} shows no ${command}`);
  return block.slice(block.indexOf('\n') + 1);
};

/** The commands that a page shows, in their order, each with its output. */
export const commandsOf = (page: string): readonly { readonly command: string; readonly output: string }[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    [...block.matchAll(/^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)/gm)].map(([, command = '', output = '']) => ({
      command: command.trimEnd(),
      output,
    })),
  );
