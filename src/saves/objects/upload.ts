import { hash } from 'node:crypto';
import type { Semaphore } from '../../lib/semaphore.ts';
import type { Progress } from '../copies/progress.ts';
import type { Backlog } from '../copies/write-backlog.ts';
import type { Bucket, Only, UploadedPart } from './bucket.ts';
import { type Stored, storeNew } from './store-new.ts';
import type { UploadLog } from './upload-log.ts';

/** Bytes of a part. */
export const PART = 8 * 1024 * 1024;
/** The most parts that a store accepts. */
const PARTS = 10_000;
/** Longer content cannot be stored. */
export const LONGEST = PART * PARTS;

/** An object in the making. */
export interface Upload {
  /** Takes bytes, which it copies. Never waits and never throws. */
  write(bytes: Uint8Array): void;
  /**
   * Ends the content, and makes it visible, unless an object of its name and length is there. Resolves
   * to `undefined` if the upload was abandoned. Never rejects.
   */
  finish(): Promise<Stored | undefined>;
  /** Resolves once nothing of it is left in the store, or the log has it as left. */
  abort(): Promise<void>;
}

interface UploadOptions {
  readonly bucket: Bucket;
  readonly name: string;
  readonly type: string;
  /** Bytes, if known. */
  readonly length?: number;
  readonly backlog: Backlog;
  /** Limits the parts that are sent at a time, of all uploads together. */
  readonly lines: Semaphore;
  /** Remembers what a killed process leaves. */
  readonly log: UploadLog;
  /** Where the bytes are counted that were handed to the store, and those that it has. */
  readonly progress: Pick<Progress, 'queued' | 'written'>;
  /** Called once with the reason the upload was abandoned. */
  readonly onError: (error: unknown) => void;
  /** Called with what was wrong in the store, after it was mended. */
  readonly mended: (what: string) => void;
}

/**
 * Sends content in parts while it comes. Up to one part it is a single request at the end. It is
 * abandoned if the store refuses it, or is so slow that the backlog is full. Nobody sees anything of
 * it before `finish`.
 */
export const startUpload = (options: UploadOptions): Upload => {
  const { bucket, name, type, length, backlog, lines, log, progress, onError, mended } = options;
  const sending: Promise<UploadedPart>[] = [];
  let part: Buffer | undefined;
  let filled = 0;
  let written = 0;
  let ending: 'finish' | 'abort' | undefined;
  let upload: Promise<string> | undefined;
  progress.queued = 0;

  /** Bytes that wait are no longer needed. */
  const drop = () => {
    backlog.give(filled);
    part = undefined;
    filled = 0;
  };
  const giveUp = (error: unknown) => {
    if (ending === 'abort') return;
    ending = 'abort';
    onError(error);
    void clear();
  };
  const begin = async (): Promise<string> => {
    const id = await lines(() => bucket.begin(name, type));
    const unfinished = { name, upload: id };
    try {
      await log.began(unfinished);
    } catch (error) {
      // Nobody else will know of it.
      await bucket.abort(unfinished).catch(() => log.left(unfinished));
      throw error;
    }
    return id;
  };

  /** Sends what has come as the next part. */
  const seal = (full: Buffer) => {
    const bytes = full.subarray(0, filled);
    const number = sending.length + 1;
    part = undefined;
    filled = 0;
    progress.queued = written;
    upload ??= begin();
    const id = upload;
    const sent = id
      .then((upload) =>
        lines(async () => {
          if (ending === 'abort') throw new Error('abandoned');
          const uploaded = await bucket.part({ name, upload }, number, bytes, sumOf(bytes));
          progress.written += bytes.length;
          return uploaded;
        }),
      )
      .finally(() => backlog.give(bytes.length));
    sent.catch(giveUp);
    sending.push(sent);
  };

  /** Removes what the store has of an upload that is not to be finished. Never rejects. */
  const clear = async (): Promise<void> => {
    drop();
    await Promise.allSettled(sending);
    // One that never began has nothing there.
    const id = await upload?.catch(() => undefined);
    if (id === undefined) return;
    const unfinished = { name, upload: id };
    try {
      await bucket.abort(unfinished);
      await log.ended(unfinished);
    } catch {
      log.left(unfinished);
    }
  };

  /** The blocks of what is there are compared at each read. */
  const look = async () => {
    const found = await bucket.look(name);
    return found && { etag: found.etag, isRight: found.size === written, what: `an object of ${found.size} bytes` };
  };
  const asNew = (send: (only?: Only) => Promise<string | undefined>) =>
    storeNew({ url: bucket.url + name, send: (only) => lines(() => send(only)), look, mended });

  const store = async (): Promise<Stored> => {
    if (!upload) {
      const bytes = part?.subarray(0, filled) ?? Buffer.alloc(0);
      progress.queued = filled;
      const stored = await asNew((only) => bucket.put(name, bytes, { sha256: sumOf(bytes), type, only }));
      if (!stored.wasThere) progress.written = bytes.length;
      return stored;
    }
    if (part) seal(part);
    const unfinished = { name, upload: await upload };
    const parts = await Promise.all(sending);
    const stored = await asNew((only) => bucket.complete(unfinished, parts, only));
    if (stored.wasThere) await bucket.abort(unfinished);
    await log.ended(unfinished);
    return stored;
  };

  return {
    write: (bytes) => {
      if (ending) return;
      if (!backlog.take(bytes.length)) return giveUp(new Error('the store is too slow: the backlog is full'));
      for (let at = 0; at < bytes.length; ) {
        if (part && filled === part.length) seal(part);
        // More than was announced is an error of another stage.
        part ??= Buffer.allocUnsafeSlow(Math.max(1, Math.min(PART, (length ?? Number.POSITIVE_INFINITY) - written)));
        const count = Math.min(bytes.length - at, part.length - filled);
        part.set(bytes.subarray(at, at + count), filled);
        at += count;
        filled += count;
        written += count;
      }
    },
    finish: async () => {
      if (ending) return undefined;
      ending = 'finish';
      try {
        const stored = await store();
        drop();
        return stored;
      } catch (error) {
        giveUp(error);
        return undefined;
      }
    },
    abort: async () => {
      ending = 'abort';
      await clear();
    },
  };
};

const sumOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64');
