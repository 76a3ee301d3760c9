import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type afterAll, afterEach } from '@jest/globals';

/** Folders of a test, removed after it, or after all. */
export const temporaryFolders = (after: typeof afterEach | typeof afterAll = afterEach): (() => string) => {
  const made: string[] = [];
  after(() => {
    // Child processes of a killed server may still be writing their last lines.
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-'));
    made.push(folder);
    return folder;
  };
};

/** Every file below a folder, by its relative path. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => relative(folder, join(found.parentPath, found.name)))
    .sort();
