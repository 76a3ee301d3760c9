import { StreamError } from '../../../pipelines/model/errors.ts';
import { messageOf } from '../../lib/thrown.ts';
import { BOUNDS, BoundExceeded, shortened } from '../bounds.ts';
import type { FoundUnit, Reader, Repository, Signature } from '../format.ts';
import { NAMED } from '../tally.ts';
import { DATA, END, FAILED, type Failure, type Frame, type Job, type Message, readFrames } from './messages.ts';
import { READERS } from './readers.ts';

/** Items sent in one message, and its characters: the parent parses it while it serves clients. */
const BATCH = { items: 100, characters: 128 * 1024 };

const readerOf = async ({ module, reader }: Job): Promise<Reader> => {
  const exported = module === undefined ? undefined : (await import(module))[reader];
  if (exported) return exported;
  const [, load] = Object.entries(READERS).find(([name]) => name === reader) ?? [];
  if (!load) throw new Error(`no reader '${reader}'`);
  return load();
};

/** Resolves when the parent has room for more. */
const write = (line: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  });

const send = (message: Message): Promise<void> => write(JSON.stringify(message));

/**
 * Sends what the reader reports, as long as it is to be named. The rest is counted, for `flush`: the
 * parent may be slower than the metadata.
 */
const reporter = (type: 'leftOut' | 'bypassed', counted: (more: number) => void = () => {}) => {
  let sent = 0;
  let rest = { text: '', count: 0 };
  return {
    report: (problem: string, count: number): void => {
      counted(count);
      sent += 1;
      const text = shortened(problem);
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
  const frames = readFrames(process.stdin);
  let failure: StreamError | Error | undefined;
  let open = false;
  let place = job.base;
  let records = 0;
  let missing = 0;
  const countRecords = (more: number): void => {
    records += more;
    if (records > BOUNDS.items) throw new BoundExceeded(`${place}: more than ${BOUNDS.items} files`);
  };
  const [leftOut, bypassed] = [reporter('leftOut', countRecords), reporter('bypassed')];

  const nextFrame = async (): Promise<Frame> => {
    const { value, done } = await frames.next();
    // The parent is gone: the items have no reader.
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
      const longest = expected?.size ?? BOUNDS.fetched;
      let bytes = 0;
      try {
        for (;;) {
          const { type, content } = await nextFrame();
          if (type === END) return;
          if (failure) throw failure;
          bytes += content.length;
          if (bytes > longest) throw new BoundExceeded(`${path}: more than ${longest} bytes`);
          yield content;
        }
      } finally {
        if (open) await send({ type: 'enough' });
        while (open) await nextFrame();
      }
    },
    missing: (path) => {
      missing += 1;
      if (missing > BOUNDS.missing) throw new BoundExceeded(`${path}: more than ${BOUNDS.missing} indices are missing`);
      void send({ type: 'missing', path });
    },
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
    let items: string[] = [];
    let characters = 0;
    const flush = async (): Promise<void> => {
      await write(`{"type":"items","items":[${items.join()}]}`);
      items = [];
      characters = 0;
    };
    for await (const item of reader(repository, job.selection)) {
      countRecords(1);
      const text = JSON.stringify(item satisfies FoundUnit);
      if (text.length > BOUNDS.item)
        throw new BoundExceeded(`${place}: item ${records}: more than ${BOUNDS.item} characters about one file`);
      characters += text.length;
      if (items.push(text) >= BATCH.items || characters >= BATCH.characters) await flush();
    }
    await flush();
    await leftOut.flush();
    await bypassed.flush();
    await send({ type: 'done' });
  } catch (error) {
    await send({ type: 'failed', message: shortened(messageOf(error)), source: error === failure });
  }
  process.exit();
};
