import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** A destination of output. Its errors are those of the operating system. */
export interface Target {
  /** Opens it for writing; call it once. */
  start(): Writable;
  /** Call it after the last write: resolves once the data is accepted and has its final name. */
  finish(): Promise<void>;
  /** Closes it and removes unfinished output. */
  discard(): void;
}

/** Ends a stream; resolves once the stream has accepted everything. */
export const ended = async (stream: Writable): Promise<void> => {
  stream.end();
  await finished(stream, { readable: false });
};
