import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom } from 'rxjs';
import { temporaryFolders } from '../../support/folder.ts';
import { processes } from '../../support/processes.ts';

const start = processes();
const folder = temporaryFolders();

/** A process that logs through its standard output. */
const logging = (then: string) =>
  start(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { createLogger } from './src/observe/log.ts';
     const logger = createLogger('INFO');
     ${then}`,
  ]);

const HUNDRED = 'for (let i = 0; i < 100; i++) logger.info({ i }, "line");';
const numbers = (stdout: Buffer): number[] =>
  stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).i);
const ALL = Array.from({ length: 100 }, (_, i) => i);

describe('lines on standard output', () => {
  it.each([
    ['at its end', '', 0],
    ['by process.exit', 'process.exit(3);', 3],
    ['by an uncaught error', 'setImmediate(() => { throw new Error("fatal"); });', 1],
    ['by a rejection that nobody handles', 'Promise.reject(new Error("fatal"));', 1],
    [
      'by a signal that it handles',
      'process.on("SIGTERM", () => process.exit(4)); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 2 ** 30);',
      4,
    ],
  ])('are all there if the process ends %s', async (_, end, expected) => {
    const { status, stdout } = await logging(`${HUNDRED} ${end}`).ended;
    expect(numbers(stdout)).toEqual(ALL);
    expect(status).toBe(expected);
  });

  it('appear while the process has nothing else to log', async () => {
    const { lines } = logging('logger.info("alone"); setInterval(() => {}, 2 ** 30);');
    await expect(firstValueFrom(lines.pipe(filter((line) => line.includes('alone'))))).resolves.toBeDefined();
  });

  it('are written at once by `flush`', async () => {
    const { lines } = logging(
      'logger.info("now"); logger.flush(); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    );
    await expect(firstValueFrom(lines.pipe(filter((line) => line.includes('now'))))).resolves.toBeDefined();
  });

  it('are written several at a time', async () => {
    const counting = `
      const { default: fs } = await import('node:fs');
      const { syncBuiltinESMExports } = await import('node:module');
      const write = fs.writeSync;
      let writes = 0;
      fs.writeSync = (...args) => { writes += 1; return write(...args); };
      syncBuiltinESMExports();
      ${HUNDRED}
      process.on('exit', () => process.stderr.write(String(writes)));`;
    const { stdout, stderr } = await logging(counting).ended;
    expect(numbers(stdout)).toEqual(ALL);
    expect(Number(stderr)).toBeLessThan(10);
  });

  it('end without an error if their reader has left', async () => {
    const begin = join(folder(), 'begin');
    const program = `
      import { createLogger } from "./src/observe/log.ts";
      const logger = createLogger("INFO");
      process.stdin.resume().on("end", () => { ${HUNDRED} process.exitCode = 5; });`;
    // The reader leaves before it lets the process begin.
    const { stderr } = await start('sh', [
      '-c',
      `mkfifo "${begin}"
       { "${process.execPath}" --input-type=module --eval '${program}' < "${begin}"; echo "status $?" >&2; } |
         { exec <&-; : > "${begin}"; }`,
    ]).ended;
    expect(stderr).toBe('status 5\n');
  });
});
