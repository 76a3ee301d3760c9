/**
 * The second part of `npm run build`: bundles the command line into `dist/cli`. A start then reads
 * a few dozen files instead of hundreds, and only the parts of packages that are used. Embedders
 * load the plain modules beside it, with their own rxjs.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { packageRoot } from '../src/app/version.ts';

/** Packages that most commands load. The others are loaded from their own folders when needed. */
const BUNDLED = ['commander', 'ini', 'mime', 'pino', 'rxjs'];

const folder = join(packageRoot, 'dist/cli');
const { dependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

/** CommonJS packages call `require`, which modules do not have. */
const requireBuiltIns: Plugin = {
  name: 'require built-in modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[a-z_/:]+$/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'built-in' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * An `import` of a module of Node reads all its exports, and some of them load more: those of
 * `node:http` Node’s fetch and WebSocket, for 25 ms.
 */
const withoutBuiltInImports = (code: string): string => {
  const replaced = code.replace(
    /^import (?:\{([^}]*)\}|(?:\* as )?(\w+)) from "(node:[\w/]+)";$/gm,
    (_, names: string | undefined, whole: string, path: string) =>
      `const ${names === undefined ? whole : `{${names.replace(/(\w+) as (\w+)/g, '$1: $2')}}`} = globalThis.process.getBuiltinModule("${path}");`,
  );
  const [left] = /^import .*"node:.*$/m.exec(replaced) ?? [];
  if (left !== undefined) throw new Error(`unknown form: ${left}`);
  return replaced;
};

const packagesIn = ({ inputs }: Metafile): readonly string[] => {
  const paths = Object.keys(inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(paths)].sort();
};

const licenseOf = (name: string): string => {
  const own = join(packageRoot, 'node_modules', name);
  const file = readdirSync(own).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  if (file === undefined) throw new Error(`${name} would be bundled without its license`);
  return `${name}\n\n${readFileSync(join(own, file), 'utf8').trim()}\n`;
};

const { metafile, outputFiles } = await build({
  absWorkingDir: packageRoot,
  // The second one runs on a thread, without the rest of the daemon.
  entryPoints: { main: 'src/cli/main.ts', checkpoints: 'src/saves/outbox/sync.ts' },
  outdir: folder,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: Object.keys(dependencies).filter((name) => !BUNDLED.includes(name)),
  // For Node, rxjs offers CommonJS files, of which unused parts cannot be left out.
  alias: { rxjs: join(packageRoot, 'node_modules/rxjs/dist/esm/index.js') },
  chunkNames: 'chunks/[name]-[hash]',
  metafile: true,
  write: false,
  logLevel: 'warning',
  plugins: [requireBuiltIns],
});
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, withoutBuiltInImports(text));
}
writeFileSync(
  join(folder, 'LICENSES.txt'),
  packagesIn(metafile)
    .map(licenseOf)
    .join(`\n${'-'.repeat(72)}\n\n`),
);
