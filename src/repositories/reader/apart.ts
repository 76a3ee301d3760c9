import { type ChildProcess, spawn } from 'node:child_process';
import { StreamError } from '../../../pipelines/model/errors.ts';
import { putLast } from '../../lib/put-last.ts';
import { messageOf } from '../../lib/thrown.ts';
import { BOUNDS } from '../bounds.ts';
import type { Expected, FoundUnit, Reader, Repository, RepositoryItem } from '../format.ts';
import { readLines } from '../lines.ts';
import { type Guard, guard, LIMITS, type Limits } from './guard.ts';
import { DATA, END, FAILED, type Failure, headOf, type Job, type Message } from './messages.ts';
import { PROGRAM } from './program.ts';
import type { READERS } from './readers.ts';

const MIB = 1024 ** 2;

type Process = ChildProcess & { readonly stdin: NodeJS.WritableStream; readonly stdout: NodeJS.ReadableStream };

interface Options {
  /** If the repository states none. */
  readonly limits?: Limits;
  /** The URL of a module that exports the reader. Default: the streamer's own readers. */
  readonly module?: string;
}

/**
 * A reader that runs in a process of its own. Metadata comes from outside: whatever it makes a
 * parser do, it costs only this process, which has no credentials and no network. Files are read by
 * the parent and written to the process, and items come back in batches; both wait for the slower
 * side. If the process dies or exceeds a limit, the items end with an error that names the file and
 * the place in it.
 */
export const apart = <Item extends FoundUnit = RepositoryItem>(
  reader: keyof typeof READERS | (string & {}),
  { limits: otherwise = LIMITS, module }: Options = {},
): Reader<Item> =>
  async function* (repository, selection) {
    const { base, signatures, limits = otherwise } = repository;
    const child = start({ reader, base, selection, module, keyring: signatures?.keyring }, limits);
    const ended = endOf(child);
    const watch = guard(child, limits);
    const files = feed(child, watch, repository);
    try {
      for await (const lines of readLines(reader, child.stdout as AsyncIterable<Uint8Array>, BOUNDS.text, true)) {
        for (const line of lines) {
          watch.alive();
          const message: Message = JSON.parse(line);
          if (message.type === 'read') files.send(message);
          else if (message.type === 'enough') files.stop();
          else if (message.type === 'missing') repository.missing(message.path);
          else if (message.type === 'leftOut') repository.leftOut(message.text, message.count);
          else if (message.type === 'bypassed') repository.bypassed(message.text, message.count);
          else if (message.type === 'verified') signatures?.verified(message.signature);
          else if (message.type === 'failed') throw (message.source && files.failure) || new Error(message.message);
          else if (message.type === 'done') return void (await ended);
          else {
            watch.suspend();
            yield* message.items as readonly Item[];
            watch.resume();
          }
        }
      }
      const end = await ended;
      throw new Error(`${files.place()}: the process that reads metadata ended: ${watch.reason ?? end(limits)}`);
    } finally {
      watch.stop();
      files.stop();
      child.kill('SIGKILL');
    }
  };

const start = (job: Job, { heap }: Limits): Process => {
  const megabytes = Math.max(1, Math.round(heap / MIB));
  const flags = [
    `--max-old-space-size=${megabytes}`,
    '--max-semi-space-size=4',
    '--disable-sigusr1',
    '--disable-warning=ExperimentalWarning',
  ];
  // Without the environment, which may have secrets. Signatures need gpgv, and a place for its files.
  const { PATH, TMPDIR } = process.env;
  const env = job.keyring === undefined ? {} : { PATH, TMPDIR };
  const child = spawn(process.execPath, [...flags, PROGRAM, JSON.stringify(job)], { stdio: 'pipe', env });
  putLast(child.pid);
  // A process that died is reported by its end.
  child.stdin.on('error', () => {});
  return child;
};

/** Resolves to the reason of the end when the process has ended. */
const endOf = (child: ChildProcess): Promise<(limits: Limits) => string> =>
  new Promise((resolve) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
    });
    child.on('error', (error) => resolve(() => messageOf(error)));
    child.on('close', (code, signal) =>
      resolve(({ heap }) =>
        /heap out of memory|heap limit/.test(said)
          ? `it needs more than ${Math.round(heap / MIB)} MiB of JavaScript objects`
          : `${signal ?? `status ${code}`} ${said.trim().split('\n').at(-1) ?? ''}`.trim(),
      ),
    );
  });

interface Feeding {
  send(file: { readonly path: string; readonly expected?: Expected }): void;
  stop(): void;
  /** The error of the last file. */
  readonly failure: unknown;
  /** The last file, and how much of it was sent. */
  place(): string;
}

/** Reads files for the process. */
const feed = (child: Process, watch: Guard, repository: Repository): Feeding => {
  let name = '';
  let bytes = 0;
  let failure: unknown;
  let current: AsyncIterator<Uint8Array> | undefined;

  /** Resolves when the process has accepted a frame, or is gone. */
  const write = (type: number, content: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      child.stdin.write(headOf(type, content.length));
      child.stdin.write(content, () => {
        watch.alive();
        resolve();
      });
    });

  const next = async (source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> => {
    watch.suspend();
    try {
      const step = await source.next();
      return step.done ? undefined : step.value;
    } finally {
      watch.resume();
    }
  };

  const send = async (path: string, expected: Expected | undefined): Promise<void> => {
    name = path;
    bytes = 0;
    failure = undefined;
    const source = repository.read(path, expected)[Symbol.asyncIterator]();
    current = source;
    try {
      for (let chunk = await next(source); chunk && current === source; chunk = await next(source)) {
        await write(DATA, chunk);
        bytes += chunk.length;
      }
      await write(END, new Uint8Array());
    } catch (error) {
      failure = error;
      await write(FAILED, Buffer.from(JSON.stringify(toFailure(error))));
    }
  };

  return {
    send: ({ path, expected }) => void send(path, expected),
    stop: () => {
      const source = current;
      current = undefined;
      source?.return?.()?.catch(() => {});
    },
    get failure() {
      return failure;
    },
    place: () => (name === '' ? repository.base : `${name}, after ${bytes} bytes`),
  };
};

const toFailure = (error: unknown): Failure => ({
  message: messageOf(error),
  ...(error instanceof StreamError && { code: error.code, source: error.source }),
});
