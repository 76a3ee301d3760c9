/**
 * The second part of `npm run build`: bundles the command line into `dist/cli`. A start then reads
 * a few files instead of hundreds, and only the parts of packages that are used. Embedders load the
 * plain modules beside it, with their own rxjs. The live page becomes one script in `dist/live`.
 * `node scripts/bundle.ts [FOLDER]`: the folder that contains `dist`; default: the package's own.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { packageRoot } from '../src/app/version.ts';

const inRoot = (path: string): string => join(packageRoot, path);
const built = (path: string): string => join(process.argv[2] ?? packageRoot, 'dist', path);

/** Packages that most commands load. The others are loaded from their own folders when needed. */
const BUNDLED = ['commander', 'ini', 'mime', 'pino', 'rxjs'];

/**
 * Files of the bundle, each with these modules and all that they import, unless an earlier file has
 * it. Everything else, such as a database, is in a file of its own. Many small files would take
 * longer to load.
 */
const FILES: Readonly<Record<string, readonly string[]>> = {
  // Runs on a thread, without the rest of the daemon.
  checkpoints: ['saves/outbox/sync.ts'],
  // Run in processes of their own.
  reader: ['repositories/reader/program.ts'],
  refresher: ['app/repositories/program.ts'],
  worker: ['app/workers/program.ts'],
  // What main.ts imports, which loads the other files itself.
  start: [
    'cli/main.ts',
    'cli/program.ts',
    'cli/one-line.ts',
    'config/config-error.ts',
    'http/unknown-interface.ts',
    'lib/mask.ts',
  ],
  commands: ['cli/serve.ts', 'cli/check-config.ts', 'cli/catalog.ts', 'cli/context.ts'],
  daemon: ['app/daemon.ts', 'observe/log.ts', 'cli/explain.ts'],
};

/**
 * An `import` of a module of Node reads all its exports, and some of them load more: those of
 * `node:http` Node’s fetch and WebSocket, for 25 ms.
 */
const withoutBuiltInImports = (code: string): string => {
  const replaced = code.replace(
    /^import (?:(?:\* as )?([\w$]+))?(?:, )?(?:\{([^}]*)\})? from "(node:[\w/]+)";$/gm,
    (_, whole: string | undefined, names: string | undefined, path: string) =>
      [whole, names && `{${names.replace(/([\w$]+) as ([\w$]+)/g, '$1: $2')}}`]
        .filter((target) => target !== undefined)
        .map((target) => `const ${target} = globalThis.process.getBuiltinModule("${path}");`)
        .join(' '),
  );
  const [left] = /^import .*"node:.*$/m.exec(replaced) ?? [];
  if (left !== undefined) throw new Error(`unknown form: ${left}`);
  return replaced;
};

/** Modules that packages load and then need only for features that are not used here. */
const UNUSED: Readonly<Record<string, string>> = {
  // Subcommands in programs of their own.
  'node:child_process': 'commander',
  // Transports on threads, and redaction.
  'thread-stream': 'pino',
  '@pinojs/redact': 'pino',
};

const isUnused = (id: string, importer = ''): boolean =>
  UNUSED[id] !== undefined && importer.includes(`/node_modules/${UNUSED[id]}/`);

const unused: Plugin = {
  name: 'unused modules',
  resolveId: (id, importer) => (isUnused(id, importer) ? `\0unused:${id}` : undefined),
  load: (id) => (id.startsWith('\0unused:') ? 'export default {};' : undefined),
};

const builtIns: Plugin = { name: 'built-in modules', renderChunk: withoutBuiltInImports };

const licenseOf = (name: string): string => {
  const own = inRoot(`node_modules/${name}`);
  const file = readdirSync(own).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  if (file === undefined) throw new Error(`${name} would be bundled without its license`);
  return `${name}\n\n${readFileSync(join(own, file), 'utf8').trim()}\n`;
};

const { dependencies, peerDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const apart = [
  'node:',
  ...Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !BUNDLED.includes(name)),
];
const isApart = (id: string): boolean =>
  apart.some((name) => id === name || id.startsWith(name.replace(/[^:]$/, '$&/')));

const bundle = await rolldown({
  cwd: packageRoot,
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  external: (id, importer) => isApart(id) && !isUnused(id, importer),
  // For Node, rxjs offers CommonJS files, of which unused parts cannot be left out.
  resolve: { alias: { rxjs: inRoot('node_modules/rxjs/dist/esm/index.js') } },
  plugins: [unused, builtIns],
});
const { output } = await bundle.write({
  dir: built('cli'),
  chunkFileNames: '[name]-[hash].js',
  codeSplitting: {
    groups: Object.entries(FILES).map(([name, modules], index, { length }) => ({
      name,
      test: (id) => modules.some((module) => id === inRoot(`src/${module}`)),
      priority: length - index,
    })),
  },
});
await bundle.close();

/** The live page: one script for browsers, and its files as they are. */
const page = await rolldown({
  cwd: packageRoot,
  input: { live: 'src/observe/live/page/live.ts' },
  platform: 'browser',
});
await page.write({ dir: built('live') });
await page.close();
for (const name of ['live.html', 'live.css']) cpSync(inRoot(`src/observe/live/page/${name}`), built(`live/${name}`));

const launcher = readFileSync(inRoot('src/cli/launcher.cjs'), 'utf8').replace('./main.ts', './main.js');
writeFileSync(built('cli/launcher.cjs'), launcher, { mode: 0o755 });
for (const file of ['completion.bash', 'completion.zsh']) cpSync(inRoot(`src/cli/${file}`), built(`cli/${file}`));

const modules = output.filter((one): one is OutputChunk => one.type === 'chunk').flatMap(({ moduleIds }) => moduleIds);
const names = modules.flatMap((id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
const licenses = [...new Set(names)].sort().map(licenseOf);
writeFileSync(built('cli/LICENSES.txt'), licenses.join(`\n${'-'.repeat(72)}\n\n`));
