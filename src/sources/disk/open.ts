import { read } from 'node:fs';
import type { SourceEvent } from '../../../pipelines/model/index.ts';
import {
  type Ask,
  type BlockSums,
  type Header,
  LOANS,
  type Location,
  type OpenSource,
  type SourceHead,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { createFlow, type Producer, type Sink } from '../../../pipelines/operators/create-flow.ts';
import type { Flow } from '../../../pipelines/operators/valve.ts';
import { BLOCK, matchingBytes } from '../../lib/block-sums.ts';
import { contentHead } from '../../lib/content-head.ts';
import { contentType } from '../../lib/content-type.ts';
import { type Level, lend, levelFor, loanOf, SIZES } from '../../lib/lent-buffers.ts';
import { type Descriptors, keepDescriptors } from './descriptors.ts';
import { type DiskFile, diskError, openDiskFile } from './file.ts';

/**
 * Opens locations at `file:` URLs and plain absolute paths. Emits a head, made from the file or
 * from the location's header fields. Then it emits chunks while the valve is open, one read at a
 * time. Completes after the number of bytes in the head, even if the file has grown. Errors with a
 * StreamError: SHORT_BODY if the file was truncated. Unsubscribing closes the file, at the latest
 * when the running read returns.
 *
 * If the location has sums of its blocks, every block that contains wanted bytes is read whole and
 * compared first. Errors with CHANGED at the first one that differs; its bytes are not emitted.
 */
export const openDisk: OpenSource = (location, ask) => reading((one) => openDiskFile(one), location, ask);

/**
 * The same with small files that stay open for a while. `close` closes those that nobody reads. Files may
 * also lie in one of the other roots.
 */
export const createDisk = (otherRoots: readonly string[] = []): { readonly open: OpenSource; close(): void } => {
  const descriptors = keepDescriptors(otherRoots);
  return { open: (location, ask) => reading(descriptors.open, location, ask), close: descriptors.close };
};

const reading = (openFile: Descriptors['open'], location: Location, ask: Ask): Flow<SourceEvent> =>
  createFlow<SourceEvent>((sink) => {
    let paused = false;
    let left = false;
    let reading: Producer | undefined;

    openFile(location).then(
      (file) => {
        const head = headOf(file, location, ask);
        if (head instanceof StreamError) {
          file.close();
          return sink.error(head);
        }
        sink.ahead(head);
        if (left || ask.method === 'HEAD') {
          file.close();
          return sink.complete();
        }
        reading = readPart(file, head, sink, location.blocks);
        if (!paused) reading.resume();
      },
      (error: unknown) => sink.error(error),
    );

    return {
      pause: () => {
        paused = true;
        reading?.pause();
      },
      resume: () => {
        paused = false;
        reading?.resume();
      },
      close: () => {
        left = true;
        reading?.close();
      },
    };
  }, LOANS);

/**
 * Reads the part in the head, up to the file's size at opening. Starts paused. Owns the file and
 * closes it once.
 */
const readPart = (
  file: DiskFile,
  { from, last }: SourceHead,
  sink: Sink<SourceEvent>,
  blocks?: BlockSums,
): Producer => {
  const size = Number(file.stats.size);
  const end = last === undefined ? size : last + 1;
  /** The part, or the whole blocks that contain it. */
  const stop = blocks ? Math.min(size, Math.ceil(end / BLOCK) * BLOCK) : end;
  let at = blocks ? from - (from % BLOCK) : from;
  /** Bytes of the smallest read. */
  const least = blocks ? BLOCK : 1;
  /** Bytes that the reader took since its last pause. */
  let steady = 0;
  let level = levelOf(stop - at, steady);
  let paused = true;
  let underWay = false;
  let over = false;

  const close = (notify?: () => void) => {
    over = true;
    file.close();
    notify?.();
  };

  const next = () => {
    if (paused || underWay || over) return;
    if (from === end || at === stop) return close(sink.complete);
    underWay = true;
    const memory = lend(level, blocks ? Math.min(BLOCK, stop - at) : 0);
    const buffer = memory.subarray(0, Math.min(memory.length, stop - at));
    const loan = loanOf(memory);
    const filled = (error: Error | null, count: number) => {
      underWay = false;
      if (over || error || count === 0) loan?.release();
      // The file could not be closed during the read.
      if (over) return file.close();
      if (error) return close(() => sink.error(diskError(error, file.path)));
      if (count === 0) return close(() => sink.error(shrunk(file, at)));
      const right = blocks ? matchingBytes(buffer.subarray(0, count), at, blocks) : count;
      const bytes = buffer.subarray(Math.max(0, from - at), Math.min(right, end - at));
      at += right;
      if (bytes.length > 0) sink.next({ type: 'chunk', bytes, loan });
      loan?.release();
      if (over) return;
      if (right < count) return close(() => sink.error(changed(file, at)));
      if (at === stop) return close(sink.complete);
      steady = paused ? 0 : steady + count;
      level = levelOf(paused ? Math.min(least, stop - at) : stop - at, steady);
      next();
    };
    if (blocks) readFully(file.fd, buffer, at, filled);
    else read(file.fd, buffer, 0, buffer.length, at, filled);
  };

  return {
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      next();
    },
    close: () => {
      if (over) return;
      if (underWay) over = true;
      else close();
    },
  };
};

/** Reads until the buffer is full or the file ends. */
const readFully = (
  fd: number,
  buffer: Uint8Array,
  at: number,
  done: (error: Error | null, count: number) => void,
): void => {
  const more = (full: number) =>
    read(fd, buffer, full, buffer.length - full, at + full, (error, count) => {
      if (error || count === 0 || full + count === buffer.length) done(error, full + count);
      else more(full + count);
    });
  more(0);
};

/** The size of the next read: as large as possible, since each costs a turn of a thread. */
const levelOf = (left: number, steady: number): Level => {
  if (left <= SIZES[0]) return 0;
  return left <= SIZES[1] ? 1 : levelFor(steady);
};

const changed = ({ path }: DiskFile, at: number): StreamError =>
  new StreamError('CHANGED', 'disk', `${path} changed after byte ${at} since it was verified`);

const shrunk = ({ path, stats }: DiskFile, at: number): StreamError =>
  new StreamError('SHORT_BODY', 'disk', `${path} ended at byte ${at}; it had ${stats.size} bytes when it was opened`);

const headOf = (file: DiskFile, location: Location, ask: Ask): SourceHead | StreamError => {
  const { path, stats } = file;
  const length = Number(stats.size);
  const { blocks } = location;
  if (blocks && blocks.length !== length)
    return new StreamError(
      'CHANGED',
      'disk',
      `${path} has ${length} bytes; it had ${blocks.length} when it was verified`,
    );
  const head = contentHead({ name: path, length, fields: fieldsOf(file, location), source: 'disk' }, ask);
  return blocks && !(head instanceof StreamError) ? { ...head, checked: true } : head;
};

/**
 * The fields that describe the content: those that the location has, otherwise the file's own. The
 * file's entity tag is strong: time, size and inode change with the content (RFC 9110 section
 * 8.8.1).
 */
const fieldsOf = ({ path, stats }: DiskFile, { headers }: Location): readonly Header[] =>
  headers ?? [
    ['Content-Type', contentType(path)],
    ['Last-Modified', stats.mtime.toUTCString()],
    ['ETag', `"${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}-${stats.ino.toString(16)}"`],
  ];
