import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Runs a script of this folder and kills it with SIGKILL when it has said so many lines; resolves with every line it said. */
export const runUntilKilled = async (script: string, args: readonly string[], lines: number): Promise<string[]> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const ended = once(child, 'close');
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  const [status, signal] = await ended;
  if (signal !== 'SIGKILL')
    throw new Error(`${script} ended with ${signal ?? status}; expected it to run until killed`);
  return said;
};
