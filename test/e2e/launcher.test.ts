import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { lineOf, ownEnvironment, processes } from '../support/processes.ts';
import { VECTORS } from '../support/signed-urls.ts';
import { MAIN } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const folder = temporaryFolders();
const startFeed = closedFeeds();
const manifest: { version: string; engines: { node: string } } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** A file that Node runs before the launcher. */
const preload = (code: string): string => {
  const file = join(folder(), 'before.cjs');
  writeFileSync(file, code);
  return `--require=${file}`;
};

/** Whether something listens on a port of this machine. */
const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .on('connect', () => resolve(true))
      .on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** A daemon whose debugger, if it opened one, would listen on `debugPort`. */
const serve = async (...nodeOptions: string[]) => {
  const [debugPort = 0] = await freePorts(1);
  const state = folder();
  const key = join(state, 'key.pem');
  writeFileSync(key, VECTORS.public_key);
  const options = ['--content-sources-dir', state, '--signed-urls', 'on', '--rsa-pub', key];
  const running = start(
    process.execPath,
    [MAIN, 'serve', '--port', '0', '--interfaces', '127.0.0.1', '--state-dir', state, ...options],
    { env: { ...ownEnvironment(), NODE_OPTIONS: [`--inspect-port=${debugPort}`, ...nodeOptions].join(' ') } },
  );
  const [listening = ''] = JSON.parse(await lineOf(running, (line) => line.includes('"msg":"ready"'))).listening;
  const ask = async () => (await fetch(`http://127.0.0.1:${/\d+$/.exec(listening)?.[0]}/nowhere`)).status;
  return { running, debugPort, ask };
};

describe('the launcher', () => {
  it('keeps SIGUSR1 from opening a debugger, and requests go on', async () => {
    const { running, debugPort, ask } = await serve();
    expect(await ask()).toBe(403);
    for (let left = 3; left > 0; left -= 1) running.kill('SIGUSR1');
    // Signals are delivered in their order.
    running.kill('SIGHUP');
    await lineOf(running, (line) => line.includes('"msg":"configuration reloaded"'));
    expect(await ask()).toBe(403);
    expect(await listens(debugPort)).toBe(false);
    running.kill('SIGTERM');
    const { status, stderr } = await running.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Debugger') });
  });

  it('starts processes that ignore SIGUSR1', async () => {
    // Its manifest never ends, so the process that reads it stays.
    const feed = await startFeed((_, response) => response.write('a,x,1\n'));
    const args = [MAIN, 'catalog', 'import', 'files', feed.url, '--prefix', '/a', '--state-dir', folder()];
    const running = start(process.execPath, args);
    const children = () =>
      readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))
        // Until it runs another program, it has the command line of its parent.
        .filter((words) => words.length > 1 && !words.includes(MAIN));
    await until(() => children().length > 0);
    for (const words of children()) expect(words).toContain('--disable-sigusr1');
  });

  it('has a debugger closed that a SIGUSR1 opened before it ran', async () => {
    const opened = `process.kill(process.pid, 'SIGUSR1'); while (!require('inspector').url());`;
    const { running, debugPort, ask } = await serve(preload(opened));
    await lineOf(running, (line) => line.includes('debugger closed, a SIGUSR1 during the start had opened it'));
    expect(await listens(debugPort)).toBe(false);
    expect(await ask()).toBe(403);
  });

  it('leaves a debugger that was asked for', async () => {
    const { debugPort, ask } = await serve('--inspect');
    expect(await ask()).toBe(403);
    expect(await listens(debugPort)).toBe(true);
  });

  it.each(['0.10.48', '8.17.0', '22.23.0'])('says in one line which Node is needed instead of %s', async (version) => {
    const old = `global.process = Object.create(process, { versions: { value: { node: '${version}' } } });`;
    const { status, stdout, stderr } = await start(process.execPath, [preload(old), MAIN, 'catalog', 'list']).ended;
    const needed = `pulp-streamer needs Node 24 or later; this is Node ${version}, ${process.execPath} `;
    expect({ status, stdout: stdout.toString(), stderr }).toEqual({
      ...{ status: 1, stdout: '' },
      stderr: `${needed}(see https://nodejs.org/en/download)\n`,
    });
    expect(`>=${/needs Node (\d+)/.exec(stderr)?.[1]}`).toBe(manifest.engines.node);
  });

  it('can be parsed by every Node: it is ES5', async () => {
    const parse = `const { parse } = require('internal/deps/acorn/acorn/dist/acorn');
      const source = require('fs').readFileSync(process.argv[1], 'utf8');
      parse(source, { ecmaVersion: 5, allowHashBang: true });`;
    const { status, stderr } = await start(process.execPath, ['--expose-internals', '-e', parse, MAIN]).ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
