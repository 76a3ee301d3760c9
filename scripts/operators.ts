/**
 * A part of `npm run build`: makes `dist/pipelines/operators`, which the compiler has filled, a package of
 * its own. Its declaration maps lead to the sources in its folder `src`: a compiler would take sources
 * beside the declarations in place of them, and check them with the settings of its user.
 * `node scripts/operators.ts [FOLDER]`: the folder that the compiler has filled; default: `dist`.
 */
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packageRoot } from '../src/app/version.ts';

const OPERATORS = 'pipelines/operators';
const sources = join(packageRoot, OPERATORS);
const built = join(process.argv[2] ?? join(packageRoot, 'dist'), OPERATORS);

for (const file of globSync('**/*.ts', { cwd: sources })) cpSync(join(sources, file), join(built, 'src', file));
for (const file of globSync('**/*.d.ts.map', { cwd: built })) {
  const source = join('src', file.replace(/\.d\.ts\.map$/, '.ts'));
  const map = JSON.parse(readFileSync(join(built, file), 'utf8'));
  writeFileSync(join(built, file), JSON.stringify({ ...map, sources: [relative(dirname(file), source)] }));
}
for (const file of ['package.json', 'README.md']) cpSync(join(sources, file), join(built, file));
cpSync(join(packageRoot, 'LICENSE'), join(built, 'LICENSE'));
