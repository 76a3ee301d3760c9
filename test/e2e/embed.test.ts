import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { version } from '../../src/app/version.ts';
import { filesBelow } from '../support/folder.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';

jest.setTimeout(60_000); // real processes, on machines that may be busy

const start = processes();
const folder = temporaryFolders();

const ROOT = process.cwd();
const OWL = 'Packages/owl-0.6-1.noarch.rpm';
const OWL_SHA256 = '6203373715c08571276336c0982e1b412b56b142f836b6af3474e2bc39d07268';

/** A TypeScript user's file, which compiles only with useful declarations. */
const USER_FILE = `
import { createStreamer, type StreamEvent } from 'pulp-streamer';
import { type Flow, fromReadable } from 'pulp-streamer/operators';
import { lazyFetch, stallTimeout } from 'pulp-streamer/pipelines';
import { checkFlow } from 'pulp-streamer/testing';
import type { Observable } from 'rxjs';

const streamer = await createStreamer({ stateDir: 'state', readTimeout: 10 });
const events: Observable<StreamEvent> = streamer.fetch('/zoo/${OWL}');
events.subscribe((event) => event.type === 'chunk' && event.bytes.byteLength.toFixed());
for await (const bytes of streamer.bytes('/zoo/${OWL}')) bytes.byteLength.toFixed();
// @ts-expect-error: a path is a text
streamer.fetch(1);
// @ts-expect-error: a misspelt word
await createStreamer({ dispatch: 'sav' });
await createStreamer({ dispatch: 'none', via: false, readTimeout: '10 s', sizeLimit: '1 GiB', traceFeeds: ['a.test'] });
// @ts-expect-error: it needs more than that
lazyFetch({}, {});
const flow: Flow<Uint8Array> = fromReadable(() => process.stdin);
checkFlow(() => (source) => source);
// @ts-expect-error: it has no valve yet
flow.subscribe();
// @ts-expect-error: how long?
stallTimeout({});
`;

describe('the package, installed from its tarball into an empty project', () => {
  let project: string;
  let env: NodeJS.ProcessEnv;
  const run = async (command: string, ...args: string[]) => {
    const { stdout } = await succeeded(start(command, args, { cwd: project, env }));
    return stdout.toString();
  };
  const bundled = (path: string) => join(project, 'node_modules/pulp-streamer', path);

  beforeAll(async () => {
    // npm runs on this Node, too.
    const { PATH = '', ...others } = ownEnvironment();
    env = { ...others, PATH: [dirname(process.execPath), PATH].join(delimiter) };
    const packed = folder();
    // It builds dist/, as the test of the system's packages does.
    await succeeded(start('flock', ['package.json', 'npm', 'pack', '--pack-destination', packed], { cwd: ROOT, env }));
    const [tarball = ''] = readdirSync(packed);
    project = folder();
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    await run('npm', 'install', join(packed, tarball), '--no-audit', '--no-fund', '--prefer-offline');
    for (const name of ['embed/embed.mjs', 'pipeline/compose.mjs'])
      cpSync(join(ROOT, 'examples', name), join(project, name));
  }, 120_000);

  it('is installed in bounds: what only the demo and the tests need is left out', () => {
    const modules = join(project, 'node_modules');
    const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
    const bytes = filesBelow(modules).reduce((sum, file) => sum + statSync(join(modules, file)).size, 0);
    // docs/how-to/embed.md states both.
    expect(Object.keys(packages).length).toBeLessThanOrEqual(55);
    expect(bytes / 1e6).toBeLessThan(60);
  });

  it('has its command', async () => {
    expect(await run('npx', 'pulp-streamer', 'version')).toBe(`${version}\n`);
  });

  it('starts its command from a bundle, which has the licenses of its parts', async () => {
    const modules = ['--import', pathToFileURL(join(ROOT, 'test/support/print-modules.ts')).href];
    const command = [bundled('dist/cli/launcher.cjs'), 'catalog', 'list', '--state-dir', 'empty'];
    const { stderr } = await succeeded(start('node', [...modules, ...command], { cwd: project, env }));
    const loaded: readonly string[] = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    const files = loaded.filter((url) => url.includes('/node_modules/'));
    expect(files.filter((url) => !url.includes('/node_modules/pulp-streamer/dist/cli/'))).toEqual([]);
    // Without its layers the bundle has a file for each combination of modules: some forty here.
    expect(files.length).toBeLessThan(12);
    const licenses = readFileSync(bundled('dist/cli/LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'pino', 'rxjs']) expect(licenses).toMatch(new RegExp(`^${name}$`, 'm'));
  });

  it('shows its demo', async () => {
    expect(await run('npx', 'pulp-streamer', 'demo', '--once')).toContain('All 6 requests came as expected.');
  });

  it('is embedded as an observable source, and as bytes to pull', async () => {
    await run(
      'npx',
      'pulp-streamer',
      'catalog',
      'import',
      'yum',
      bundled('examples/zoo'),
      '--prefix',
      '/zoo',
      '--state-dir',
      'state',
    );
    const said = await run('node', 'embed/embed.mjs', `/zoo/${OWL}`);
    expect(said).toMatch(/^found -\nattempt -\nhead 928110\n(chunk \d+\n)+end sha256\npulled 928110\n$/);
    const { status, stderr } = await start('node', ['embed/embed.mjs', '/zoo/unicorn'], { cwd: project, env }).ended;
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'NOT_IN_CATALOG the catalog has no entry for /zoo/unicorn\n',
    });
  });

  it('reads metadata in a process of its own, embedded too', async () => {
    const descriptor = `[zoo]\nenabled: 1\ntype: yum\nbase_url: ${pathToFileURL(bundled('examples/zoo')).href}\n`;
    mkdirSync(join(project, 'sources'));
    writeFileSync(join(project, 'sources/zoo.conf'), descriptor);
    writeFileSync(
      join(project, 'refresh.mjs'),
      `import { createStreamer } from 'pulp-streamer';
       import { firstValueFrom, lastValueFrom } from 'rxjs';
       const { alternates, close } = await createStreamer({ stateDir: 'refreshed', contentSourcesDir: 'sources' });
       const { sources } = await firstValueFrom(alternates.descriptors);
       console.log(await lastValueFrom(alternates.refresh(sources[0])));
       await close();`,
    );
    expect(await run('node', 'refresh.mjs')).toContain('units: 5,');
  });

  it('runs the examples of the README', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, code = '', shown = ''] = /```js\n(.*?)```\n\n```\n(.*?)```/s.exec(readme) ?? [];
    writeFileSync(join(project, 'readme.mjs'), code);
    expect(await run('node', 'readme.mjs')).toBe(shown);
  });

  it('provides its stages for a custom pipeline', async () => {
    const mirrors = [join(project, 'nowhere'), bundled('examples/zoo')].map((path) => pathToFileURL(path).href);
    const said = await run('node', 'pipeline/compose.mjs', `/${OWL}`, OWL_SHA256, ...mirrors);
    const [first, second, third, ...rest] = said.split('\n');
    expect([first, second, third]).toEqual([
      `trying ${mirrors[0]}/${OWL}`,
      'failed: SOURCE_MISSING',
      `trying ${mirrors[1]}/${OWL}`,
    ]);
    expect(rest.join(' ')).toMatch(/^(\d+ % )+complete 928110 bytes sha256 $/);

    const wrong = await start('node', ['pipeline/compose.mjs', `/${OWL}`, '0'.repeat(64), mirrors[1] ?? ''], {
      cwd: project,
      env,
    }).ended;
    expect(wrong.stdout.toString()).toBe(`trying ${mirrors[1]}/${OWL}\nfailed: WRONG_CHECKSUM\n`);
    expect(wrong.stderr).toMatch(/^WRONG_CHECKSUM .* has sha256 6203/);
  });

  it('contains declarations for TypeScript', async () => {
    writeFileSync(join(project, 'user.mts'), USER_FILE);
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--ignoreConfig'];
    await run('node', join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, ...types, 'user.mts');
  });
});
