import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { commentedIni } from '../config/commented.ts';
import { OWN_FILE } from '../config/load.ts';
import { codeOf } from '../lib/thrown.ts';

export const addInit = (command: Command): void => {
  command.argument('[file]', 'the file to write, or - for standard output', OWN_FILE).action((file: string) => {
    if (file === '-') {
      process.stdout.write(commentedIni());
      return;
    }
    mkdirSync(dirname(file), { recursive: true });
    try {
      // Passwords may be written into it.
      writeFileSync(file, commentedIni(), { flag: 'wx', mode: 0o640 });
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw new Error(`${file} is there already, and stays as it is`);
      throw error;
    }
    process.stdout.write(`wrote ${file}: all settings, as comments\n`);
  });
};
