import type { Writable } from 'node:stream';
import { codeOf, messageOf } from '../lib/thrown.ts';
import { asItIs, streamTo } from './output/as-it-is.ts';
import { placeOf } from './output/place.ts';
import type { Target } from './output/target.ts';
import { wholeFile } from './output/whole-file.ts';

/**
 * What a command writes content to. Disposing of it closes it; of a regular file that is not
 * finished nothing remains.
 */
export interface Output extends Disposable {
  /** Begins it; call it once. Throws if its file cannot be made. */
  start(): Writable;
  /**
   * Everything was written. Resolves once it is taken and, if it is a regular file, in its place.
   */
  finish(): Promise<void>;
  /**
   * What an error of the stream means, with the output's name. `start` and `finish` fail with such
   * errors.
   */
  explain(error: unknown): Error;
}

/**
 * Opens what `-o` names; `-` or none is standard output. A regular file, or a name that nothing has
 * yet, is written as `FILE.partial` beside it and renamed when it is whole; it keeps its mode, and
 * symbolic links to it stay. A device, a FIFO, a socket or an open descriptor (`/dev/stdout`,
 * `/dev/fd/3`) is written to as it is, and never replaced.
 *
 * Resolves once it can be written to: a FIFO waits for its reader. Rejects with an error that names
 * it.
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
  EPIPE: 'its reader has left',
  ECONNRESET: 'its reader has left',
  ECONNREFUSED: 'nothing listens there',
  EBADF: 'no such descriptor is open',
};

const targetOf = async (name: string): Promise<Target> => {
  if (name === '-') return asItIs(process.stdout);
  const place = placeOf(name);
  return place.kind === 'file' ? wholeFile(place.path, place.stats) : asItIs(await streamTo(place));
};
