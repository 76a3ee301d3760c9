import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/app/version.ts';

const INPUTS = ['package.json', 'package-lock.json', 'scripts/bundle.ts', '{examples,pipelines,src}/**'];
const DAY = 86_400_000;

/** Changes whenever a file of the bundle or of the examples does. */
const version = (): string => {
  const hash = createHash('sha256');
  for (const file of globSync(INPUTS, { cwd: packageRoot }).sort()) {
    const { mtimeMs, size } = statSync(join(packageRoot, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
};

const build = (folder: string): void => {
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot, 'scripts/bundle.ts'), folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`scripts/bundle.ts ended with ${status}\n${stderr}`);
  for (const part of ['package.json', 'examples'])
    cpSync(join(packageRoot, part), join(folder, part), { recursive: true });
};

/**
 * The folder of the package as users install it, with its command line bundled: a start takes half
 * of the time that it takes from the sources. Built again when a source has changed, which takes a
 * second.
 */
export const bundledPackage = (): string => {
  const kept = join(packageRoot, 'node_modules/.cache/pulp-streamer');
  const folder = join(kept, version());
  if (existsSync(folder)) return folder;
  mkdirSync(kept, { recursive: true });
  for (const old of readdirSync(kept).map((name) => join(kept, name)))
    if (Date.now() - statSync(old).mtimeMs > DAY) rmSync(old, { recursive: true, force: true });
  // Readable for other users: some tests run it as nobody.
  const making = join(kept, randomUUID());
  build(making);
  try {
    renameSync(making, folder);
  } catch (error) {
    // Another test file was faster.
    if (!existsSync(folder)) throw error;
    rmSync(making, { recursive: true });
  }
  return folder;
};
