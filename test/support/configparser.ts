import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * The result of Python for an INI file: values by section and key, `null` for one that cannot be
 * interpolated.
 */
export type PythonSections = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

export interface PythonParser {
  read(text: string, dialect: 'safe' | 'lenient'): Promise<PythonSections>;
  close(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('configparser/read.py', import.meta.url));

/** Python's configparser, in a process that reads one file after the other. */
export const startPythonParser = (): PythonParser => {
  const python = spawn('python3', ['-W', 'ignore', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(python, 'close');
  const answers = createInterface(python.stdout)[Symbol.asyncIterator]();
  return {
    read: async (text, dialect) => {
      python.stdin.write(`${JSON.stringify({ text, dialect })}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('python3 has ended');
      return JSON.parse(value);
    },
    close: async () => {
      python.stdin.end();
      await ended;
    },
  };
};
