import type { ErrorCode, ErrorSource } from '../../../pipelines/model/errors.ts';
import type { Expected, FoundUnit, Selection, Signature } from '../format.ts';

/** What the process that reads metadata writes to its standard output, one JSON value a line. */
export type Message =
  /** Asks for a file. Its frames follow on standard input. One file at a time. */
  | { readonly type: 'read'; readonly path: string; readonly expected?: Expected }
  /** The rest of the file is not wanted. Its last frame must still come. */
  | { readonly type: 'enough' }
  | { readonly type: 'missing'; readonly path: string }
  | { readonly type: 'leftOut'; readonly text: string; readonly count: number }
  | { readonly type: 'bypassed'; readonly text: string; readonly count: number }
  | { readonly type: 'verified'; readonly signature: Signature }
  | { readonly type: 'items'; readonly items: readonly FoundUnit[] }
  | { readonly type: 'done' }
  /** `source`: the error is the one that the last file failed with. */
  | { readonly type: 'failed'; readonly message: string; readonly source: boolean };

/** The job of the process, its only argument. */
export interface Job {
  /** The URL of a module, and the name of a reader that it exports. */
  readonly module?: string;
  readonly reader: string;
  readonly base: string;
  readonly selection: Selection;
  /** The file of the keys that signatures are checked with, if they are. */
  readonly keyring?: string;
}

/** The frames of a file: any number of `DATA`, then `END` or `FAILED`. */
export const DATA = 1;
export const END = 2;
/** The content is a Failure in JSON. */
export const FAILED = 3;

/** Why a file cannot be read. */
export interface Failure {
  readonly message: string;
  /** Absent if it is not a StreamError. */
  readonly code?: ErrorCode;
  readonly source?: ErrorSource;
}

const HEADER = 5;

/** The head of a frame: its type, and the number of bytes of its content. */
export const headOf = (type: number, length: number): Uint8Array => {
  const head = Buffer.alloc(HEADER);
  head.writeUInt8(type);
  head.writeUInt32BE(length, 1);
  return head;
};

export interface Frame {
  readonly type: number;
  readonly content: Uint8Array;
}

/** Splits bytes into frames. The content of `DATA` may come in several pieces. */
export async function* readFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    for (;;) {
      if (left > 0) {
        if (rest.length === 0) break;
        const content = rest.subarray(0, left);
        rest = rest.subarray(content.length);
        left -= content.length;
        yield { type: DATA, content };
        continue;
      }
      if (rest.length < HEADER) break;
      const type = rest.readUInt8();
      const length = rest.readUInt32BE(1);
      if (type === DATA) {
        left = length;
        rest = rest.subarray(HEADER);
        continue;
      }
      if (rest.length < HEADER + length) break;
      yield { type, content: rest.subarray(HEADER, HEADER + length) };
      rest = rest.subarray(HEADER + length);
    }
  }
}
