import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Runs a script and kills it with SIGKILL after `lines` lines of output. Resolves with every line.
 */
export const runUntilKilled = async (script: URL, args: readonly string[], lines: number): Promise<string[]> => {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
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
    throw new Error(`${script.pathname} ended with ${signal ?? status}; expected it to run until killed`);
  return said;
};
