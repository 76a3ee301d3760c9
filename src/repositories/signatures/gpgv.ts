import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { readKeyring } from './keyring.ts';
import { type Findings, readStatus } from './status.ts';

/** Milliseconds that gpgv may take. */
const PATIENCE = 30_000;

/** A file and its signature, which is around it or in a file of its own. */
export interface Signed {
  readonly content: Uint8Array;
  readonly detached?: Uint8Array;
}

/** The signatures, and exactly the bytes that they are about. */
export interface Checked extends Findings {
  readonly content: Uint8Array;
}

/** Checks the signatures of a file. Rejects if that cannot be done. */
export const check = async ({ content, detached }: Signed, keyring: string): Promise<Checked> => {
  const keys = await readKeyring(keyring);
  const folder = await mkdtemp(join(tmpdir(), 'pulp-streamer-gpgv-'));
  const place = (name: string) => join(folder, name);
  try {
    // An empty home: what the user's own keyrings trust does not count.
    await mkdir(place('home'));
    await writeFile(place('keys.gpg'), keys);
    await writeFile(place('content'), content);
    if (detached) await writeFile(place('signature'), detached);
    const status = await run([
      ...['--homedir', place('home'), '--keyring', place('keys.gpg'), '--status-fd', '3'],
      ...(detached ? [place('signature'), place('content')] : ['--output', place('signed'), place('content')]),
    ]);
    const findings = readStatus(status);
    if (detached || findings.signers.length === 0) return { ...findings, content };
    return { ...findings, content: await readFile(place('signed')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Resolves to the status lines. The exit status also reports keys that are merely unknown. */
const run = async (args: readonly string[]): Promise<string> => {
  const { PATH } = process.env;
  const child = spawn('gpgv', args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { LC_ALL: 'C', ...(PATH !== undefined && { PATH }) },
    signal: AbortSignal.timeout(PATIENCE),
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', (error) => reject(unusable(error)));
    child.on('close', (_code, signal) => resolve(signal));
  });
  const [, , stderr, status] = child.stdio;
  const [signal, said, lines] = await Promise.all([
    ended,
    text(stderr as NodeJS.ReadableStream),
    text(status as NodeJS.ReadableStream),
  ]);
  if (signal) throw new Error(`gpgv, which checks signatures, was ended by ${signal}`);
  if (lines === '') throw new Error(`gpgv cannot check signatures: ${said.trim().split('\n').at(-1) || 'no output'}`);
  return lines;
};

const unusable = (error: unknown): Error => {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'is not installed (Debian: package gpgv, Fedora: gnupg2)',
    ABORT_ERR: `gave no answer within ${PATIENCE} ms`,
  };
  const reason = reasons[codeOf(error)] ?? `cannot be started: ${messageOf(error)}`;
  return new Error(`gpgv, which checks signatures, ${reason}`, { cause: error });
};
