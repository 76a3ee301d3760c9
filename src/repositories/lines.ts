// Far above any real line. The limit keeps a binary file from filling the memory.
const LONGEST_LINE = 16 * 1024 * 1024;

/** Splits a text into lines without line ends. Each array holds those that a chunk completes. */
export async function* readLines(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  longest = LONGEST_LINE,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longest) throw new Error(`${name}: a line is longer than ${longest} characters`);
    yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
