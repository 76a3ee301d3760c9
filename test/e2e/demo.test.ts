import { describe, expect, it, jest } from '@jest/globals';
import { ownEnvironment, processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';
import { pulpStreamer } from '../support/site.ts';

jest.setTimeout(60_000); // real processes, on machines that may be busy

const start = processes();

const ESCAPE = '\x1b';
const COMMAND = `'${process.execPath}' src/cli/main.ts demo --once`;

/** Each request of the demonstration: what was asked for, and the line that tells what came of it. */
const scenesOf = (text: string) =>
  [...text.matchAll(/^\d+\. GET (\S+) .*\n(?:.*\n)*? {3}((?:as expected|WRONG): .*)$/gm)].map(([, ...scene]) => scene);

describe('the demo', () => {
  it('ends with 0 after every request came as expected', async () => {
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
    expect(text).not.toContain(ESCAPE);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  const itWithTerminal = itNeeding(['script']);

  itWithTerminal('is in colour on a terminal, unless NO_COLOR says otherwise', async () => {
    const onTerminal = async (env: NodeJS.ProcessEnv) => {
      const terminal = start('script', ['--quiet', '--return', '--command', COMMAND, '/dev/null'], { env });
      return (await terminal.ended).stdout.toString();
    };
    const env = ownEnvironment();
    expect(await onTerminal(env)).toContain(`${ESCAPE}[1m`);
    expect(await onTerminal({ ...env, NO_COLOR: '1' })).not.toContain(ESCAPE);
  });
});
