import { constants, setPriority } from 'node:os';
import { StreamError } from '../../../pipelines/model/errors.ts';
import { messageOf } from '../../lib/thrown.ts';
import { BOUNDS, BoundExceeded } from '../bounds.ts';
import type { FoundUnit, Reader, Repository, Signature } from '../format.ts';
import { NAMED } from '../tally.ts';
import { DATA, END, FAILED, type Failure, type Frame, type Job, type Message, readFrames } from './messages.ts';
import { READERS } from './readers.ts';

/** Items sent in one message. */
const BATCH = 100;

const readerOf = async ({ module, reader }: Job): Promise<Reader> => {
  const exported = module === undefined ? undefined : (await import(module))[reader];
  if (exported) return exported;
  const [, load] = Object.entries(READERS).find(([name]) => name === reader) ?? [];
  if (!load) throw new Error(`no reader '${reader}'`);
  return load();
};

/** Resolves when the parent has room for more. */
const send = (message: Message): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
  });

/**
 * Sends what the reader reports, as long as it is to be named. The rest is counted, for `flush`: the
 * parent may be slower than the metadata.
 */
const reporter = (type: 'leftOut' | 'bypassed') => {
  let sent = 0;
  let rest = { text: '', count: 0 };
  return {
    report: (text: string, count: number): void => {
      sent += 1;
      if (sent <= NAMED) void send({ type, text, count });
      else rest = { text, count: rest.count + count };
    },
    flush: async (): Promise<void> => {
      if (rest.count > 0) await send({ type, ...rest });
    },
  };
};

/** Reads a repository whose files come from the parent, and sends the items to it. */
export const read = async (job: Job): Promise<void> => {
  // Transfers to clients come first.
  setPriority(constants.priority.PRIORITY_LOW);
  const frames = readFrames(process.stdin);
  let failure: StreamError | Error | undefined;
  let open = false;
  let place = job.base;
  const [leftOut, bypassed] = [reporter('leftOut'), reporter('bypassed')];

  const nextFrame = async (): Promise<Frame> => {
    const { value, done } = await frames.next();
    // The parent is gone: nobody wants the items.
    if (done) process.exit(1);
    if (value.type !== DATA) open = false;
    if (value.type === FAILED) {
      const { message, code, source }: Failure = JSON.parse(Buffer.from(value.content).toString());
      failure = code && source ? new StreamError(code, source, message) : new Error(message);
    }
    return value;
  };

  const repository: Repository = {
    base: job.base,
    read: async function* (path, expected) {
      if (open) throw new Error(`${path}: another file is being read`);
      open = true;
      place = path;
      failure = undefined;
      await send({ type: 'read', path, expected });
      try {
        for (;;) {
          const { type, content } = await nextFrame();
          if (type === END) return;
          if (failure) throw failure;
          yield content;
        }
      } finally {
        if (open) await send({ type: 'enough' });
        while (open) await nextFrame();
      }
    },
    missing: (path) => void send({ type: 'missing', path }),
    leftOut: leftOut.report,
    bypassed: bypassed.report,
    ...(job.keyring !== undefined && {
      signatures: {
        keyring: job.keyring,
        verified: (signature: Signature) => void send({ type: 'verified', signature }),
      },
    }),
  };

  try {
    const reader = await readerOf(job);
    let items: FoundUnit[] = [];
    let count = 0;
    for await (const item of reader(repository, job.selection)) {
      count += 1;
      if (count > BOUNDS.items) throw new BoundExceeded(`${place}: more than ${BOUNDS.items} files`);
      if (items.push(item) < BATCH) continue;
      await send({ type: 'items', items });
      items = [];
    }
    await send({ type: 'items', items });
    await leftOut.flush();
    await bypassed.flush();
    await send({ type: 'done' });
  } catch (error) {
    await send({ type: 'failed', message: messageOf(error), source: error === failure });
  }
  process.exit();
};
