import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventOf } from '../../src/http/admin/event-stream.ts';
import { startOn } from '../support/feeds.ts';
import { freePorts } from '../support/ports.ts';
import { type Running, startProcess, succeeded } from '../support/run-process.ts';
import { simulate } from '../support/simulated-frames.ts';
import { pulpStreamer } from '../support/site.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/until.ts';

/** What a terminal obeys: its other screen without a cursor, and back; the first column of the first line. */
const [ENTER, LEAVE, HOME] = ['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l', '\x1b[H'];

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** A listener that sends a snapshot and then frames. */
const listener = async (path = '/el9/evil') => {
  const simulation = simulate();
  for (let frame = 0; frame < 100; frame += 1) simulation.next();
  const server = createServer((_, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const snapshot = simulation.snapshot();
    const [first, ...others] = snapshot.streams;
    const streams = [
      { ...first!, facts: { ...first?.facts, path, outcome: 'failed', code: 'STALLED' } as const },
      ...others,
    ];
    res.write(eventOf('snapshot', JSON.stringify({ ...snapshot, streams })));
    const timer = setInterval(() => res.write(eventOf('frame', JSON.stringify(simulation.next()))), 50);
    res.on('close', () => clearInterval(timer));
  });
  const feed = await startOn(server);
  closing.push(feed.close);
  return feed.url;
};

const start = (...args: string[]): Running => {
  const running = pulpStreamer(startProcess, 'top', ...args);
  closing.push(() => running.kill('SIGKILL'));
  return running;
};

describe('pulp-streamer top', () => {
  it('prints what it saw once if there is no terminal, without control characters of paths', async () => {
    const { stdout } = await succeeded(start('--url', await listener('/el9/\x1b[31m\u202eevil')));
    const text = stdout.toString();
    expect(text).toMatch(/^pulp-streamer ready · up \d+ s · 256 MiB\nrequests 8\/s · to clients 1\.0 MiB\/s/);
    expect(text).toMatch(/RESUMED on b/);
    expect(text).toMatch(/ client .*━/);
    expect(text).toMatch(/^ +copy [\d.]+ MiB .*█.* being kept$/m);
    expect(text).toMatch(/STALLED/);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('says what is missing if no daemon listens there', async () => {
    const [port] = await freePorts(1);
    expect(await start('--url', `http://localhost:${port}`).ended).toMatchObject({
      status: 1,
      stderr: `error: nothing listens at http://localhost:${port}; expected a running daemon with this admin_port\n`,
    });
    expect(await start().ended).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('admin_port is 0: expected the port of a running daemon'),
    });
  });

  const inTerminal = missingTools(['script', 'stty']).length === 0 ? it : it.skip;

  inTerminal('draws on a screen of its own until q is pressed', async () => {
    const url = await listener();
    const command = `stty cols 90 rows 20; ${process.execPath} src/cli/launcher.cjs top --url ${url}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null']);
    closing.push(() => terminal.kill('SIGKILL'));
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    await until(() => shown.split(HOME).length > 4);
    terminal.stdin.write('q');
    expect(await once(terminal, 'close')).toEqual([0, null]);
    expect(shown.startsWith(`${ENTER}${HOME}`)).toBe(true);
    expect(shown.endsWith(LEAVE)).toBe(true);
    const lines = stripVTControlCharacters(shown).split(/[\r\n]+/);
    expect(lines.filter((line) => line.length > 90)).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^q quit/));
  });
});
