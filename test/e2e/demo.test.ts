import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { lineOf, ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { pulpStreamer } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();

const FOX = 'fox-1.1-1.noarch.rpm';
const ESCAPE = '\x1b';
const COMMAND = `'${process.execPath}' src/cli/launcher.cjs demo --once`;

/** Each request of the demonstration: the request, and the line with its result. */
const scenesOf = (text: string) =>
  [...text.matchAll(/^\d+\. GET (\S+) .*\n(?:.*\n)*? {3}((?:as expected|WRONG): .*)$/gm)].map(([, ...scene]) => scene);

/** The text without the parts that differ from run to run. */
const timeless = (text: string): string =>
  text
    .replaceAll(/ *\d+ ms/g, ' N ms')
    .replaceAll(/(?<=localhost:)\d+/g, 'PORT')
    .replaceAll(/(?<=file:\/\/)\S*(?=\/zoo-on-disk)/g, '…')
    .replaceAll(/ · paused (once|\d+ times), N ms/g, '');

describe('the demo', () => {
  it('ends with 0 after every request had the expected result', async () => {
    const { status, stdout, stderr } = await pulpStreamer(start, 'demo', '--once').ended;
    const text = stdout.toString();
    expect(scenesOf(text)).toEqual([
      [
        '/zoo/Packages/bear-4.1-1.noarch.rpm',
        expect.stringMatching(/^as expected: 200 · .* · alternate:zoo-on-disk · sha256 verified/),
      ],
      [
        '/zoo/Packages/owl-0.6-1.noarch.rpm',
        expect.stringMatching(/^as expected: 200 · .* · feed:localhost:\d+ · sha256 verified/),
      ],
      ['/zoo/Packages/owl-0.6-1.noarch.rpm', expect.stringMatching(/^as expected: 200 · .* · saved · sha256 verified/)],
      ['/zoo/repodata/repomd.xml', expect.stringMatching(/^as expected: 200 · .* · feed:localhost:\d+/)],
      ['/zoo-without-certificate/Packages/wolf-9.4-1.noarch.rpm', expect.stringMatching(/^as expected: 502 · /)],
      ['/zoo/Packages/unicorn-1.0-1.noarch.rpm', expect.stringMatching(/^as expected: 404 · /)],
    ]);
    expect(text).toContain('All 6 requests came as expected.');
    const [shown = ''] = /(?<=```\n)pulp-streamer demo:[^`]*(?=```)/.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect(timeless(shown)).toBe(timeless(text));
    expect(text).not.toContain(ESCAPE);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  itNeeding(['curl'])('keeps running until it is stopped, for manual requests, and leaves nothing behind', async () => {
    const env = { ...ownEnvironment(), TMPDIR: folder() };
    const demo = start(process.execPath, ['src/cli/launcher.cjs', 'demo'], { env });
    const cwd = folder();
    await succeeded(start('sh', ['-c', await lineOf(demo, (text) => text.startsWith('  curl -sO '))], { cwd }));
    expect(readFileSync(join(cwd, FOX))).toEqual(readFileSync(join('examples/zoo/Packages', FOX)));
    const { stdout } = await succeeded(
      start('sh', ['-c', await lineOf(demo, (text) => text.startsWith('  curl -sI '))]),
    );
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(readdirSync(env.TMPDIR)).toHaveLength(1);
    demo.kill('SIGTERM');
    expect(await demo.ended).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  it('says what to install if there is no openssl, and leaves nothing behind', async () => {
    const env = { ...ownEnvironment(), TMPDIR: folder(), PATH: folder() };
    const { status, stderr } = await start(process.execPath, ['src/cli/launcher.cjs', 'demo'], { env }).ended;
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'error: the demo makes its certificates with the command openssl, which is not installed; expected the package openssl: apt install openssl, dnf install openssl, brew install openssl\n',
    });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  const itWithTerminal = itNeeding(['script']);

  itWithTerminal('is in colour on a terminal, unless NO_COLOR is set', async () => {
    const onTerminal = async (env: NodeJS.ProcessEnv) => {
      const terminal = start('script', ['--quiet', '--return', '--command', COMMAND, '/dev/null'], { env });
      return (await terminal.ended).stdout.toString();
    };
    const env = ownEnvironment();
    expect(await onTerminal(env)).toContain(`${ESCAPE}[1m`);
    expect(await onTerminal({ ...env, NO_COLOR: '1' })).not.toContain(ESCAPE);
  });
});
