const [LF, CR, HASH] = [0x0a, 0x0d, 0x23];

/** One byte percent-encoded. */
export const encodeByte = (latin1: string): string => `%${latin1.charCodeAt(0).toString(16).toUpperCase()}`;

/** A target that was escaped for the parser, as the client sent it: as Latin-1. */
export const restoreTarget = (escaped: string): string =>
  escaped.includes('#')
    ? escaped.replace(/#(..)/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
    : escaped;

/**
 * Divides what a client sends into heads. Each call returns the first head for the parser, or
 * everything if it does not end there, and the bytes after it.
 *
 * Clients send names as they are, and Varnish and nginx pass them on. Node's parser refuses a
 * target with bytes beyond ASCII. So it is given `#C3` for the byte C3, and `#23` for a `#`: it
 * takes them for a fragment. Escaped are request lines: the first line, and each first line after
 * an empty one, for a request has no content. If one has, nothing is answered after it.
 */
export const createHeads = (): ((bytes: Buffer) => readonly [head: Buffer, rest: Buffer]) => {
  let inRequestLine = true;
  let isEmpty = true;

  return (bytes) => {
    const raw: number[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LF) {
        // Empty lines before a request line are not its end.
        const ends = isEmpty && !inRequestLine;
        inRequestLine = isEmpty;
        isEmpty = true;
        if (ends) return [escapeAt(bytes.subarray(0, at + 1), raw), bytes.subarray(at + 1)];
      } else if (byte !== CR) {
        isEmpty = false;
        if (inRequestLine && (byte > 0x7f || byte === HASH)) raw.push(at);
      }
    }
    return [escapeAt(bytes, raw), bytes.subarray(bytes.length)];
  };
};

/** Escapes the bytes at some indexes. */
const escapeAt = (bytes: Buffer, indexes: readonly number[]): Buffer => {
  if (indexes.length === 0) return bytes;
  const pieces = indexes.flatMap((at, nth) => [
    bytes.subarray(nth === 0 ? 0 : (indexes[nth - 1] ?? 0) + 1, at),
    Buffer.from(`#${bytes.toString('hex', at, at + 1).toUpperCase()}`),
  ]);
  return Buffer.concat([...pieces, bytes.subarray((indexes.at(-1) ?? 0) + 1)]);
};
