import { join } from 'node:path';
import { expect } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { commandsOf } from '../support/page-blocks.ts';
import { freePorts } from '../support/ports.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/tutorials/getting-started.md');
/** Printed before the output of each command. */
const MARK = '\u0001';

const start = processes();
const newFolder = temporaryFolders();
const it = itNeeding(['dnf', 'apt-get', 'apt-ftparchive', 'dpkg-deb', 'python3', 'curl']);

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Runs the commands of the page, in this order, in one shell. Returns what each has printed. */
const play = async (commands: readonly string[], home: string, port: number): Promise<readonly string[]> => {
  const script = [
    'shopt -s expand_aliases',
    "trap 'kill $(jobs -p) 2>/dev/null' EXIT; trap 'exit 1' TERM",
    `cd ${quoted(ROOT)}`,
    ...commands.flatMap((command) => [`printf ${quoted(MARK)}`, command]),
  ];
  const env = { ...process.env, HOME: home, LC_ALL: 'C', PULP_STREAMER_PORT: String(port) };
  const { stdout } = await start('bash', ['-c', script.join('\n')], { env, farewell: 'SIGTERM' }).ended;
  return stdout.toString().replaceAll('\r\n', '\n').split(MARK).slice(1);
};

it('Getting started shows what its commands print', async () => {
  const [first = 0, second = 0, port = 0] = await freePorts(3);
  const home = newFolder();
  // What else the machine may have at the page's places, and dnf's own cache, are left alone.
  const here = (text: string): string =>
    text
      .replaceAll('/tmp/tutorial', join(home, 'tutorial'))
      .replaceAll(/\b8000\b/g, String(first))
      .replaceAll(/\b8001\b/g, String(second))
      .replaceAll(/\b8751\b/g, String(port))
      .replaceAll('dnf -q ', `dnf -q --setopt=cachedir=${home}/dnf `);
  const shown = commandsOf(PAGE).filter(({ command }) => command !== 'npm ci');
  const printed = await play(
    shown.map(({ command }) => here(command)),
    home,
    port,
  );
  expect(printed).toHaveLength(shown.length);
  const outputs = shown.map(({ command, output }, index) => ({ command, output, printed: printed[index] ?? '' }));
  const of = (start: string) => outputs.filter(({ command }) => command.startsWith(start));

  for (const begin of ['pulp-streamer catalog import', 'ls ', 'wait $CURL', 'curl -sI', 'rm -r']) {
    expect(of(begin).length).toBeGreaterThan(0);
    for (const one of of(begin)) expect([one.command, one.printed]).toEqual([one.command, one.output]);
  }
  const [explained] = of('pulp-streamer explain');
  expect(explained?.printed).toMatch(/^path {6}\/images\/disk\.img\n.*\nsize {6}209715200\n 1\. feed:localhost:/s);
  const digests = of('sha256sum')[0]?.printed.match(/^[0-9a-f]{64}/gm);
  expect(digests).toHaveLength(2);
  expect(new Set(digests).size).toBe(1);
  const { attempts, ...request } = JSON.parse(of('grep \'"msg":"request"\'')[0]?.printed ?? '');
  expect(request).toMatchObject({ path: '/images/disk.img', status: 200, outcome: 'complete', verified: 'sha256' });
  expect(attempts[0].failure).toMatchObject({ code: 'SHORT_BODY', phase: 'mid-body' });
  expect(attempts.at(-1)).not.toHaveProperty('failure');
  expect(attempts.at(-1).from).toBeGreaterThan(0);
  expect(of('curl -si')[0]?.printed).toMatch(/^HTTP\/1\.1 502 .*details="CONNECT_FAILED".*\n\n502 .*\n$/s);
  expect(of('apt-get $APT download')[0]?.printed).toContain('/debian stable/main all hello-zoo all 1.0 [');
});
