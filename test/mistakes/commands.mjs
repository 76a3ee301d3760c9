// Runs commands of a launcher one after the other in one process: each starts with what `main` finds in a new one.
import { writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , launcher] = process.argv;
const { main } = await import(join(dirname(launcher), 'main.js'));
const usual = { ...process.env };
const write = { stdout: process.stdout.write, stderr: process.stderr.write };

/** What the command has written by the time that it ends. */
const run = async ({ args, env }) => {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    process[name].write = (text, ...rest) => {
      said[name] += text;
      rest.findLast((one) => typeof one === 'function')?.();
      return true;
    };
  process.argv.splice(2, process.argv.length, ...args);
  process.env = { ...usual, ...env };
  process.exitCode = 0;
  const umask = process.umask();
  try {
    await main();
    return { status: process.exitCode ?? 0, ...said };
  } finally {
    for (const name of ['stdout', 'stderr']) process[name].write = write[name];
    process.umask(umask);
    process.exitCode = 0;
  }
};

for await (const line of createInterface(process.stdin))
  writeSync(1, `${JSON.stringify(await run(JSON.parse(line)))}\n`);
process.exit(0);
