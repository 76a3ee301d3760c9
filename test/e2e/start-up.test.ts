import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';

const start = processes();
const folder = temporaryFolders();
const PRINT_MODULES = new URL('../support/print-modules.ts', import.meta.url).href;

/** What a command line loads: packages by name, our modules by path. */
const modulesOf = async (...args: string[]) => {
  const { status, stderr } = await start(process.execPath, ['--import', PRINT_MODULES, 'src/cli/launcher.cjs', ...args])
    .ended;
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const urls: string[] = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
  const root = new URL('../../', import.meta.url).href;
  const paths = urls.filter((url) => url.startsWith(root)).map((url) => url.slice(root.length));
  const packages = paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return {
    packages: [...new Set(packages)].sort(),
    own: paths.filter((path) => /^(src|pipelines)\//.test(path)).sort(),
  };
};

const HELP = [
  'pipelines/model/message-of.ts',
  'src/app/version.ts',
  'src/cli/launcher.cjs',
  'src/cli/main.ts',
  'src/cli/one-line.ts',
  'src/cli/program.ts',
  'src/config/config-error.ts',
  'src/http/unknown-interface.ts',
  'src/lib/journal.ts',
  'src/lib/mask.ts',
  'src/lib/safe-json.ts',
  'src/lib/thrown.ts',
];

describe('a command loads what it needs', () => {
  it.each([['--version'], ['-V'], ['version']])('%s: only the launcher', async (...args) => {
    const loaded = await modulesOf(...args);
    expect(loaded).toEqual({ packages: [], own: ['src/cli/launcher.cjs'] });
  });

  it.each([['--help'], ['help']])('%s: no other command, no daemon', async (...args) => {
    const loaded = await modulesOf(...args);
    expect(loaded).toEqual({ packages: ['commander'], own: HELP });
  });

  it.each([['serve', '--help'], ['check-config'], ['catalog', 'list'], ['importers', 'list']])(
    '%s: neither the pipeline nor a client',
    async (...args) => {
      const { packages, own } = await modulesOf(...args, '--state-dir', folder());
      expect(own).toEqual(expect.arrayContaining(HELP));
      expect(
        own.filter((path) => /^pipelines\/(?!model\/)|^src\/(sources|saves\/(copies|outbox))\//.test(path)),
      ).toEqual([]);
      expect(
        packages.filter((name) =>
          /^(rxjs|undici|pino|mongodb|amqplib|saxes|zod|prom-client|@opentelemetry\/.*)$/.test(name),
        ),
      ).toEqual([]);
    },
  );

  it('explain: neither a client of feeds, databases or brokers, nor a parser of repositories', async () => {
    const own = folder();
    const add = ['catalog', 'add', '/a', 'http://localhost:1/a', '--state-dir', own];
    await modulesOf(...add);
    const { packages } = await modulesOf('explain', '/a', '--state-dir', own);
    expect(
      packages.filter((name) => /^(undici|mongodb|amqplib|saxes|xz-decompress|zod|prom-client)$/.test(name)),
    ).toEqual([]);
  });
});
