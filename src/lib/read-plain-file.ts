import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

/**
 * The text of a regular file of at most `largest` bytes; throws for any other. What is not a file is
 * not opened: a pipe would wait for its writer, and so would everything else.
 */
export const readPlainFile = (path: string, largest: number): string => {
  const refuse = (isFile: boolean): void => {
    if (!isFile) throw new Error('it is not a regular file');
  };
  refuse(statSync(path).isFile());
  // Another one may have its name by now.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    refuse(stats.isFile());
    if (stats.size > largest) throw new Error(`it is larger than ${largest} bytes`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
};
