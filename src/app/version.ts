import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const rootAbove = (folder: string): string =>
  existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));

/** The package's own folder, whether it runs from its sources or compiled below `dist/`. */
export const packageRoot: string = rootAbove(import.meta.dirname);

export const version: string = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version;
