import { type DestinationStream, pino } from 'pino';
import { leadsToJournal, PRIORITY } from '../lib/journal.ts';
import { messageOf } from '../lib/thrown.ts';

/** Where log lines go, in batches. */
export interface LogOutput extends DestinationStream {
  flush(): void;
  /**
   * Appends to this file from now on; an empty name is standard output. The file is opened even if
   * it is the present one: it may have been renamed. Throws if that fails; nothing changes then.
   */
  moveTo(file: string): void;
  /** Opens the present file again. Returns whether there is one. */
  reopen(): boolean;
  /** Why lines cannot be written at present. */
  problem(): string | undefined;
}

/**
 * Characters that are written at once: as many as a pipe takes as a whole, so that the lines of several
 * processes do not mix. And milliseconds that fewer wait.
 */
const BATCH = 4096;
const BATCH_WAIT = 50;
/** Bytes that wait for a disk that takes nothing. Further lines are lost. */
const KEPT = 1024 * 1024;

/**
 * Opens a file for log lines, or standard output. A line waits at most 50 ms, and none is lost when
 * the process ends. Throws if the file cannot be opened.
 */
export const openLogOutput = (name = ''): LogOutput => {
  let problem: string | undefined;
  const open = (at: string) => {
    if (at === '') return pino.destination({ dest: 1, sync: true });
    const opened = pino.destination({ dest: at, sync: true, append: true, mode: 0o600, maxLength: KEPT });
    opened.on('error', (error: Error) => {
      // Standard error is all that is left.
      if (problem === undefined) process.stderr.write(`log_file: ${at} cannot be written: ${messageOf(error)}\n`);
      problem = `${at} cannot be written: ${messageOf(error)}`;
    });
    opened.on('write', () => {
      problem = undefined;
    });
    return opened;
  };
  let file = name;
  const prefix = leadsToJournal(1, process.env) ? priorityPrefix : () => '';
  let sink = open(file);
  // Collected here: pino would copy all waiting lines for each new one.
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = '';
    if (lines !== '') sink.write(lines);
  };
  process.on('exit', () => {
    // Unlike `flush`, this throws if the reader is gone.
    try {
      flush();
      sink.flushSync();
    } catch {}
  });
  const moveTo = (to: string) => {
    if (to === '' && file === '') return;
    const next = open(to);
    flush();
    const former = file === '' ? undefined : sink;
    file = to;
    sink = next;
    problem = undefined;
    former?.end();
  };
  return {
    write: (line) => {
      const text = file === '' ? prefix(line) + line : line;
      if (waiting.length + text.length > BATCH) flush();
      waiting += text;
      if (waiting.length >= BATCH) flush();
      else timer ??= setTimeout(flush, BATCH_WAIT).unref();
    },
    flush,
    moveTo,
    reopen: () => {
      moveTo(file);
      return file !== '';
    },
    problem: () => problem,
  };
};

/** `<N>` for a line, whose level comes first. */
const priorityPrefix = (line: string): string => {
  const level = Number(/^{"level":(\d+)/.exec(line)?.[1]);
  const [, priority = PRIORITY.debug] = PRIORITIES.find(([least]) => level >= least) ?? [];
  return `<${priority}>`;
};

const PRIORITIES = [
  [60, PRIORITY.critical],
  [50, PRIORITY.error],
  [40, PRIORITY.warning],
  [30, PRIORITY.info],
] as const;
