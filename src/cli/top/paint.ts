import type { Tone } from '../../observe/live/model/words.ts';

type Look = Tone | 'bold' | 'dim';

const CODES: Readonly<Record<Look, number>> = {
  good: 32,
  busy: 36,
  slow: 33,
  bad: 31,
  calm: 2,
  bold: 1,
  dim: 2,
};

/** A text in the colour of its tone, if the terminal has colours. */
export type Paint = (tone: Look, text: string) => string;

export const paintIf =
  (coloured: boolean): Paint =>
  (tone, text) =>
    coloured && text !== '' ? `\x1b[${CODES[tone]}m${text}\x1b[0m` : text;

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
