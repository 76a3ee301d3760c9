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
