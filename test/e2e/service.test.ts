import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { COMPILED, MAIN } from '../support/site.ts';
import { supervisors } from '../support/systemd/supervisor.ts';
import { missingTools } from '../support/tools.ts';

const supervise = supervisors();
const folder = temporaryFolders();
const missing = missingTools(['python3', 'systemd-notify']);

const serve = (...args: string[]): readonly string[] => {
  const state = folder();
  const common = ['--state-dir', state, '--content-sources-dir', state, '--interfaces', '127.0.0.1', '--port', '0'];
  return [process.execPath, MAIN, 'serve', ...common, ...args];
};
const env = { NODE_COMPILE_CACHE: COMPILED };

/** The status of a request on a connection of its own; the code of its error if there is no response. */
const statusOf = (url: string): Promise<number | string | undefined> =>
  new Promise((resolve) => {
    get(url, { agent: false }, (response) => response.resume().on('end', () => resolve(response.statusCode))).on(
      'error',
      (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message),
    );
  });

const lineWith = (text: string) => (line: string) => line.includes(text);

(missing.length === 0 ? describe : describe.skip)(
  `a service (needs ${missing.join(', ')})`.replace(' (needs )', ''),
  () => {
    it.each([1, 2])(
      'answers on the sockets that it was passed, IPv4 and IPv6, and on that named admin, with %s worker(s)',
      async (workers) => {
        const { urls, send, heard } = await supervise({
          listen: [
            ['SOCK_STREAM', '127.0.0.1', 'pulp-streamer.socket'],
            ['SOCK_STREAM', '127.0.0.1', 'admin'],
            ['SOCK_STREAM', '::1', 'pulp-streamer.socket'],
          ],
          command: serve('--workers', String(workers)),
          env,
        });
        send('start');
        const line = await heard('line', lineWith('"msg":"ready"'));
        const portOf = (url = '') => new URL(url).port;
        expect(JSON.parse(line.replace(/^<6>/, ''))).toMatchObject({
          listening: [`127.0.0.1 port ${portOf(urls[0])}`, `::1 port ${portOf(urls[2])}`],
          admin: [`127.0.0.1 port ${portOf(urls[1])}`],
        });
        expect(await statusOf(`${urls[0]}/unknown`)).toBe(404);
        expect(await statusOf(`${urls[2]}/unknown`)).toBe(404);
        expect(await statusOf(`${urls[1]}/livez`)).toBe(200);
        expect(await statusOf(`${urls[0]}/livez`)).toBe(404);
      },
    );

    it.each([1, 2])(
      'refuses no request while it restarts, on sockets that stay open, with %s worker(s)',
      async (workers) => {
        const { urls, send, heard } = await supervise({
          listen: [['SOCK_STREAM', '127.0.0.1', 'pulp-streamer.socket']],
          command: serve('--workers', String(workers)),
          env,
        });
        send('start');
        await heard('line', lineWith('"msg":"ready"'));
        const answers: (number | string | undefined)[] = [];
        let over = false;
        const ask = async () => {
          while (!over) answers.push(await statusOf(`${urls[0]}/unknown`));
        };
        const asking = [ask(), ask(), ask(), ask()];
        try {
          for (let restart = 1; restart <= 4; restart += 1) {
            // Each daemon has answered before it is stopped.
            await heard('line', lineWith('"msg":"request"'), restart * 20);
            send('TERM');
            expect(await heard('ended', undefined, restart)).toBe(0);
            send('start');
            await heard('line', lineWith('"msg":"ready"'), restart + 1);
          }
        } finally {
          over = true;
        }
        await Promise.all(asking);
        expect(answers.length).toBeGreaterThan(80);
        expect(answers.filter((status) => status !== 404)).toEqual([]);
      },
    );

    it('reports its start, reloads and its end, with its status', async () => {
      const { send, heard, sofar } = await supervise({ command: serve('--stop-timeout', '45'), env });
      send('start');
      const ready = await heard('notified');
      expect(ready).toEqual({
        READY: '1',
        STATUS: expect.stringMatching(/^127\.0\.0\.1 port \d+: 0 requests, 0 failed$/),
      });
      const before = process.hrtime.bigint() / 1000n;
      send('HUP');
      const reloading = await heard('notified', ({ RELOADING }) => RELOADING === '1');
      expect(BigInt(reloading.MONOTONIC_USEC ?? 0)).toBeGreaterThanOrEqual(before);
      expect(BigInt(reloading.MONOTONIC_USEC ?? 0)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
      await heard('notified', ({ READY }) => READY === '1', 2);
      send('TERM');
      await heard('notified', ({ STOPPING }) => STOPPING === '1');
      expect(await heard('ended')).toBe(0);
      expect(sofar('notified').map(({ STATUS, MONOTONIC_USEC, ...rest }) => rest)).toEqual([
        { READY: '1' },
        { RELOADING: '1' },
        { READY: '1' },
        { STOPPING: '1', EXTEND_TIMEOUT_USEC: '60000000' },
      ]);
    });

    it('keeps the watchdog content, and no longer while it hangs', async () => {
      const { send, heard, sofar } = await supervise({ command: serve(), env: { ...env, WATCHDOG_USEC: '600000' } });
      send('start');
      await heard('notified', ({ WATCHDOG }) => WATCHDOG === '1', 2);
      send('STOP');
      const { length } = sofar('notified');
      send('KILL');
      await heard('ended');
      expect(sofar('notified').length - length).toBeLessThanOrEqual(1);
    });

    it('marks lines of the journal with their priority, also why it did not start', async () => {
      const { send, heard, sofar } = await supervise({ command: serve('--log-level', 'DEBUG'), env });
      send('start');
      await heard('line', lineWith('"msg":"ready"'));
      for (const line of sofar('line')) expect(line).toMatch(/^<[2-7]>{"level":/);
      expect(sofar('line').at(-1)).toMatch(/^<6>{"level":30,/);
    });

    it('says once that systemd-notify is missing, and serves', async () => {
      const bin = join(folder(), 'bin');
      mkdirSync(bin);
      const { send, heard, sofar } = await supervise({ command: serve(), env: { ...env, PATH: bin } });
      send('start');
      const line = await heard('line', lineWith('systemd not notified'));
      expect(line).toMatch(/^<4>.*systemd-notify ENOENT/);
      send('HUP');
      send('HUP');
      send('TERM');
      expect(await heard('ended')).toBe(0);
      expect(sofar('line').filter(lineWith('systemd not notified'))).toHaveLength(1);
    });

    it('ends with 78 if a socket is not one of TCP that listens', async () => {
      const { send, heard } = await supervise({ listen: [['SOCK_DGRAM', '127.0.0.1', 'odd']], command: serve(), env });
      send('start');
      expect(await heard('ended')).toBe(78);
    });
  },
);
