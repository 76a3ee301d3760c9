/**
 * `npm run package`: builds a .deb and an .rpm of the built project, with Node inside, into
 * `dist-packages/`. With `--tree FOLDER` only their files, as they are installed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot, version } from '../../src/app/version.ts';
import { buildDeb } from './deb.ts';
import { buildRpm } from './rpm.ts';
import { layTree } from './tree.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(packageRoot, 'dist-packages') },
    tree: { type: 'string' },
    version: { type: 'string', default: version },
    // Larger, and made in seconds: for tests.
    uncompressed: { type: 'boolean', default: false },
  },
});

const makePackages = (): void => {
  const work = mkdtempSync(join(tmpdir(), 'pulp-streamer-package-'));
  try {
    const out = resolve(values.out);
    mkdirSync(out, { recursive: true });
    const tree = join(work, 'tree');
    layTree(tree, values.version);
    const order = { tree, work, out, version: values.version, uncompressed: values.uncompressed };
    for (const file of [buildDeb(order), buildRpm(order)]) process.stdout.write(`${file}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

if (values.tree === undefined) makePackages();
else layTree(resolve(values.tree), values.version);
