import { malformed } from './errors.ts';
import { checkTrailers, LONGEST_HEAD } from './head.ts';

/** The most characters of a chunk's size, zeros included, and of a line with its extensions. */
const LONGEST_SIZE = 16;
const LONGEST_LINE = 4096;

/** What a piece of a chunked body held. */
interface Decoded {
  /** The bytes of content: they were moved to the front of the piece. */
  readonly content: number;
  /** The bytes of the piece that belong to the body; fewer than all if it ended within them. */
  readonly taken: number;
  /** The last chunk and the trailer section have been read. */
  readonly hasEnded: boolean;
  /** The coding is invalid after that content. */
  readonly error?: unknown;
}

/**
 * Decodes the next piece in place, so that one read stays one piece, however small the chunks.
 */
export type Decode = (piece: Buffer) => Decoded;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;

/** Decodes the chunked coding (RFC 9112 section 7.1). Extensions and trailers are discarded. */
export const chunkDecoder = (): Decode => {
  type State = 'size' | 'extension' | 'size-lf' | 'content' | 'content-cr' | 'content-lf' | 'trailers' | 'ended';
  let state: State = 'size';
  let size = 0;
  /** Characters of the line so far. */
  let line = 0;
  let trailers = '';

  /** One byte of what is not content. */
  const step = (byte: number): State => {
    switch (state) {
      case 'size': {
        const digit = digitOf(byte);
        if (digit >= 0 && line < LONGEST_SIZE) {
          line += 1;
          size = size * 16 + digit;
          if (size > Number.MAX_SAFE_INTEGER) throw malformed('a chunk’s size is too large');
          return 'size';
        }
        if (line === 0 || (byte !== CR && byte !== SEMICOLON)) throw malformed('a chunk’s size is malformed');
        return byte === CR ? 'size-lf' : 'extension';
      }
      case 'extension':
        line += 1;
        if (byte === CR) return 'size-lf';
        if (line > LONGEST_LINE || (byte < 32 && byte !== 9) || byte === 127)
          throw malformed('a chunk’s extension is too long or malformed');
        return 'extension';
      case 'size-lf':
        if (byte !== LF) throw malformed('a chunk’s size does not end with CRLF');
        return size > 0 ? 'content' : 'trailers';
      case 'content-cr':
        if (byte !== CR) throw malformed('a chunk is longer than its size');
        return 'content-lf';
      case 'content-lf':
        if (byte !== LF) throw malformed('a chunk does not end with CRLF');
        line = 0;
        return 'size';
      default:
        trailers += String.fromCharCode(byte);
        if (trailers.length > LONGEST_HEAD) throw malformed(`the trailer section is longer than ${LONGEST_HEAD} bytes`);
        if (trailers !== '\r\n' && !trailers.endsWith('\r\n\r\n')) return 'trailers';
        checkTrailers(trailers);
        return 'ended';
    }
  };

  return (piece) => {
    let content = 0;
    let at = 0;
    while (at < piece.length && state !== 'ended') {
      if (state !== 'content') {
        try {
          state = step(piece[at] as number);
        } catch (error) {
          return { content, taken: at, hasEnded: false, error };
        }
        at += 1;
        continue;
      }
      const end = Math.min(piece.length, at + size);
      piece.copyWithin(content, at, end);
      content += end - at;
      size -= end - at;
      at = end;
      if (size === 0) state = 'content-cr';
    }
    return { content, taken: at, hasEnded: state === 'ended' };
  };
};

const digitOf = (byte: number): number => {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
};
