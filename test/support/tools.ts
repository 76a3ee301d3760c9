import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const isThere = (tool: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, tool)));

/** The tools that this machine lacks. */
export const missingTools = (tools: readonly string[]): string[] => tools.filter((tool) => !isThere(tool));
