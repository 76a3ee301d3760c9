import type { Writable } from 'node:stream';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { asItIs, streamTo } from './as-it-is.ts';
import { placeOf } from './place.ts';
import type { Target } from './target.ts';
import { wholeFile } from './whole-file.ts';

/**
 * The destination of a command's output. Disposing of it closes it, and removes a regular file that
 * is not finished.
 */
export interface Output extends Disposable {
  /** Opens it for writing; call it once. Throws if the file cannot be created. */
  start(): Writable;
  /**
   * Call it after the last write. Resolves once the data is accepted and a regular file has its
   * final name.
   */
  finish(): Promise<void>;
  /**
   * Turns a stream error into one with the output's name. `start` and `finish` fail with such
   * errors.
   */
  explain(error: unknown): Error;
}

/**
 * Opens the output that `-o` names; `-` or no name is standard output. A regular file or a new name
 * is written as `FILE.partial` in the same folder, and renamed when it is complete. It keeps its
 * mode, and symbolic links to it stay. A device, a FIFO, a socket or an open descriptor
 * (`/dev/stdout`, `/dev/fd/3`) is written to directly and never replaced.
 *
 * Resolves once the output is writable: a FIFO waits for its reader. Rejects with an error that
 * names the output.
 */
export const openOutput = async (name = '-'): Promise<Output> => {
  const explain = (cause: unknown) => {
    const reason = REASONS[codeOf(cause)] ?? messageOf(cause);
    return new Error(`${name === '-' ? 'standard output' : `-o ${name}`}: ${reason}`, { cause });
  };
  const fail = (error: unknown) => {
    throw explain(error);
  };
  const target = await targetOf(name).catch(fail);
  return {
    start: () => {
      try {
        return target.start();
      } catch (error) {
        return fail(error);
      }
    },
    finish: () => target.finish().catch(fail),
    explain,
    [Symbol.dispose]: target.discard,
  };
};

const REASONS: Readonly<Record<string, string>> = {
  EPIPE: 'its reader has closed it',
  ECONNRESET: 'its reader has closed it',
  ECONNREFUSED: 'no process listens there',
  EBADF: 'no such descriptor is open',
};

const targetOf = async (name: string): Promise<Target> => {
  if (name === '-') return asItIs(process.stdout);
  const place = placeOf(name);
  return place.kind === 'file' ? wholeFile(place.path, place.stats) : asItIs(await streamTo(place));
};
