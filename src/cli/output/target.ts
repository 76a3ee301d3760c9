import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** A destination of content. Its errors are those of the system. */
export interface Target {
  /** Begins it; call it once. */
  start(): Writable;
  /** Everything was written: resolves once it is taken and in its place. */
  finish(): Promise<void>;
  /** Closes it. Of what is not finished nothing remains. */
  discard(): void;
}

/** Ends a stream; resolves once it has taken everything. */
export const ended = async (stream: Writable): Promise<void> => {
  stream.end();
  await finished(stream, { readable: false });
};
