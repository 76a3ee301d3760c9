import { BOUNDS, BoundExceeded } from './bounds.ts';

/**
 * Splits a text into lines without line ends. Each array holds those that a chunk completes. Throws
 * a BoundExceeded if a line has more than `longest` characters. A last line without an end is one, as in files, unless
 * it is `torn`: what a process left that died.
 */
export async function* readLines(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  longest: number = BOUNDS.text,
  torn = false,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let number = 1;
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    number += lines.length;
    if (rest.length > longest)
      throw new BoundExceeded(`${name}: line ${number}: a line is longer than ${longest} characters`);
    yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest !== '' && !torn) yield [withoutReturn(rest)];
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
