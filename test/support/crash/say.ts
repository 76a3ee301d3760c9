import { writeSync } from 'node:fs';

/**
 * Writes a line to standard output before it returns. A full pipe refuses bytes until some are
 * read.
 */
export const say = (text: string): void => {
  for (let rest: Uint8Array = Buffer.from(`${text}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};
