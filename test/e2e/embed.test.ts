import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { version } from '../../src/app/version.ts';
import { askWhole } from '../support/clients.ts';
import { followedMaps } from '../support/declaration-maps.ts';
import { filesBelow } from '../support/folder.ts';
import { filesOfPage, shownAfter } from '../support/page-blocks.ts';
import { lineOf, ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';

const start = processes();
const folder = temporaryFolders();
const startFeed = closedFeeds();

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
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await run('npm', 'install', join(packed, tarball), '--no-audit', '--no-fund', '--prefer-offline');
    for (const name of ['embed', 'pipeline'])
      cpSync(join(ROOT, 'examples', name), join(project, name), { recursive: true });
    const zoo = ['yum', bundled('examples/zoo'), '--prefix', '/zoo', '--state-dir', 'state'];
    await run('npx', 'pulp-streamer', 'catalog', 'import', ...zoo);
  });

  /** Starts a program of the project that serves, on a free port. */
  const serve = async (...args: string[]) => {
    const server = start('node', args, { cwd: project, env: { ...env, PORT: '0' } });
    const line = await lineOf(server, (text) => /port: \d+|localhost:\d+|127\.0\.0\.1:\d+/.test(text));
    const [, port] = /(?:port: |:)(\d+)/.exec(line) ?? [];
    return {
      url: `http://localhost:${port}`,
      stop: async () => {
        server.kill('SIGTERM');
        const { status, stdout, stderr } = await server.ended;
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        return stdout.toString();
      },
    };
  };

  it('is installed in bounds: what only the demo and the tests need is left out', () => {
    const modules = join(project, 'node_modules');
    const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
    const bytes = filesBelow(modules).reduce((sum, file) => sum + statSync(join(modules, file)).size, 0);
    // docs/how-to/embed.md states both.
    expect(Object.keys(packages).length).toBeLessThanOrEqual(55);
    expect(bytes / 1e6).toBeLessThan(50);
  });

  it('has declarations that lead to their sources', () => {
    const followed = followedMaps(bundled('dist'));
    expect(followed.length).toBeGreaterThan(1_000);
    expect(followed.filter(([exported, found]) => exported !== found)).toEqual([]);
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
    const said = await run('node', 'embed/embed.mjs', `/zoo/${OWL}`);
    const [shown] = readFileSync(join(ROOT, 'examples/embed/README.md'), 'utf8')
      .split(/^```\n/gm)
      .filter((text) => text.startsWith('found'));
    expect(said).toBe(shown);
    const { status, stderr } = await start('node', ['embed/embed.mjs', '/zoo/unicorn'], { cwd: project, env }).ended;
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'NOT_IN_CATALOG the catalog has no entry for /zoo/unicorn\n',
    });
  });

  it.each([
    ['node:http', 'node-http', '', []],
    ['Express', 'express', '/content', ['express']],
    ['Fastify', 'fastify', '/content', ['fastify']],
    ['Hono', 'hono', '/content', ['hono', '@hono']],
  ] as const)('answers requests below %s', async (_, name, prefix, frameworks) => {
    for (const one of frameworks) symlinkSync(join(ROOT, 'node_modules', one), join(project, 'node_modules', one));
    const { url, stop } = await serve(`embed/${name}.mjs`);
    const owl = `${url}${prefix}/zoo/${OWL}`;
    const whole = await askWhole(`${owl}?query`);
    expect(whole).toMatchObject({ status: 200, sha256: OWL_SHA256, headers: { etag: `"${OWL_SHA256}"` } });
    const part = await askWhole(owl, { range: 'bytes=0-3' });
    expect([part.status, part.body.toString('latin1')]).toEqual([206, '\xed\xab\xee\xdb']);
    expect((await askWhole(owl, {}, 'HEAD')).headers['content-length']).toBe('928110');
    expect((await askWhole(owl, { 'if-none-match': `"${OWL_SHA256}"` })).status).toBe(304);
    expect((await askWhole(`${url}${prefix}/zoo/unicorn`)).body.toString()).toMatch(/^404 the catalog has no entry/);
    expect((await askWhole(`${url}/`)).body.toString()).toBe('a program of my own\n');
    const [, ...said] = (await stop()).trim().split('\n');
    const path = `${prefix}/zoo/${OWL}`;
    expect(said.map((line) => line.replace(/feed:\S*/, 'feed'))).toEqual([
      `200 ${path}?query feed`,
      `206 ${path} feed`,
      expect.stringMatching(`^200 ${path} `),
      expect.stringMatching(`^304 ${path} `),
      `404 ${prefix}/zoo/unicorn -`,
    ]);
  });

  it('is read as docs/how-to/embed.md shows', async () => {
    const page = join(ROOT, 'docs/how-to/embed.md');
    for (const [name, code] of filesOfPage(page)) writeFileSync(join(project, name), code);
    expect(await run('node', 'read.ts')).toBe(
      shownAfter(page, 'node read.ts').replaceAll(/^(found|attempt)$/gm, '$1 '),
    );
  });

  it('takes a catalog and sources of one’s own, as docs/how-to/custom-catalog.md shows', async () => {
    const own = join(project, 'own');
    mkdirSync(join(own, 'store'), { recursive: true });
    const files = filesOfPage(join(ROOT, 'docs/how-to/custom-catalog.md'));
    expect(files.map(([name]) => name)).toEqual(['catalog.ts', 'sources.ts', 'open.ts', 'main.ts']);
    for (const [name, code] of files) writeFileSync(join(own, name), code);
    const owl = readFileSync(bundled(`examples/zoo/${OWL}`));
    writeFileSync(join(own, 'store/greeting'), 'hello\n');
    writeFileSync(join(own, 'store/empty'), '');
    writeFileSync(join(own, 'store/owl'), owl);
    writeFileSync(join(own, 'store/wrong'), owl.with(900_000, 0));
    const mirror = await startFeed((_, response) => response.end(owl));
    const down = await startFeed((_, response) => response.writeHead(500).end());
    const listed = (url: string) => ({ url, sha256: OWL_SHA256, size: owl.length });
    const catalog = {
      '/greeting': { url: 'store:greeting', size: 6 },
      '/empty': { url: 'store:empty' },
      '/owl': listed('store:owl'),
      '/wrong': listed('store:wrong'),
      '/mirrored': listed('store:nothing'),
    };
    writeFileSync(join(own, 'catalog.json'), JSON.stringify(catalog));
    const server = start('node', ['main.ts', down.url, mirror.url], { cwd: own, env: { ...env, PORT: '0' } });
    const [, port] = /port: (\d+)/.exec(await lineOf(server, (text) => text.includes('port: '))) ?? [];
    const ask = (path: string, headers = {}) => askWhole(`http://localhost:${port}${path}`, headers);
    expect((await ask('/greeting')).body.toString()).toBe('hello\n');
    expect((await ask('/greeting', { range: 'bytes=-3' })).body.toString()).toBe('lo\n');
    expect((await ask('/greeting', { range: 'bytes=6-' })).status).toBe(416);
    expect((await ask('/empty')).body.length).toBe(0);
    for (const path of ['/owl', '/wrong', '/mirrored']) expect((await ask(path)).sha256).toBe(OWL_SHA256);
    expect((await ask('/unknown')).status).toBe(404);
    writeFileSync(join(own, 'catalog.json'), '{');
    expect((await ask('/owl')).status).toBe(503);
    server.kill('SIGTERM');
    const { status, stdout, stderr } = await server.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const said = stdout
      .toString()
      .split('\n')
      .filter((line) => /^\d/.test(line));
    const [downAt, mirrorAt] = [down.url, mirror.url].map((url) => `mirror:${new URL(url).host}`);
    expect(said).toEqual([
      '200 /greeting store',
      '206 /greeting store',
      expect.stringMatching('^416 /greeting '),
      '200 /empty store',
      '200 /owl store',
      `200 /wrong store WRONG_CHECKSUM, ${downAt} SOURCE_FAILED, ${mirrorAt}`,
      // What failed is tried last for a while.
      `200 /mirrored ${mirrorAt}`,
      '404 /unknown ',
      '503 /owl ',
    ]);
  });

  it('reads metadata in a process of its own, embedded too', async () => {
    const descriptor = `[zoo]\nenabled: 1\ntype: yum\nbase_url: ${pathToFileURL(bundled('examples/zoo')).href}\n`;
    mkdirSync(join(project, 'sources'));
    writeFileSync(join(project, 'sources/zoo.conf'), descriptor);
    writeFileSync(
      join(project, 'refresh.mjs'),
      `import { createStreamer } from 'pulp-streamer';
       import { firstValueFrom, lastValueFrom, retry } from 'rxjs';
       const { alternates, close } = await createStreamer({ stateDir: 'refreshed', contentSourcesDir: 'sources' });
       const { sources } = await firstValueFrom(alternates.descriptors);
       // The streamer begins to refresh it as well.
       console.log(await lastValueFrom(alternates.refresh(sources[0]).pipe(retry(3))));
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

  it('has its catalog filled as docs/how-to/embed.md shows', async () => {
    expect(await run('node', 'add.ts')).toMatch(/^(\d+\n)+$/);
  });

  it('serves as docs/how-to/embed.md shows', async () => {
    const { url, stop } = await serve('server.ts');
    expect((await askWhole(`${url}/zoo/${OWL}`)).sha256).toBe(OWL_SHA256);
    expect(await stop()).toContain(`200 /zoo/${OWL} `);
  });

  it('runs the first program of the tutorial', async () => {
    const page = join(ROOT, 'docs/tutorials/first-pipeline.md');
    for (const [name, code] of filesOfPage(page)) writeFileSync(join(project, name), code);
    expect(await run('node', 'first.mjs')).toBe(shownAfter(page, 'node first.mjs'));
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
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types'), '--allowImportingTsExtensions'];
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--ignoreConfig'];
    const files = ['user.mts', 'add.ts', 'read.ts', 'server.ts', 'own/main.ts'];
    await run('node', join(ROOT, 'node_modules/typescript/bin/tsc'), ...strict, ...types, ...files);
  });
});
