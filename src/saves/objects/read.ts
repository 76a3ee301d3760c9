import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  LOANS,
  type OpenSource,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { createFlow, type Sink } from '../../../pipelines/operators/create-flow.ts';
import { BLOCK } from '../../lib/block-sums.ts';
import { contentHead } from '../../lib/content-head.ts';
import { lend, loanOf } from '../../lib/lent-buffers.ts';
import type { Breaker } from './breaker.ts';
import type { Bucket } from './bucket.ts';
import { storeError } from './errors.ts';
import type { KnownCopies, KnownCopy } from './known.ts';
import { parseName } from './names.ts';

interface Parts {
  readonly bucket: Bucket;
  readonly known: KnownCopies;
  readonly breaker: Breaker;
}

/**
 * Opens copies at `s3:` URLs. Emits a head with the fields of the copy's first transfer, then chunks
 * while the valve is open. The store is asked for the whole blocks that contain the wanted bytes, in
 * the state that they were stored in. Each block is compared with its sum before its bytes leave.
 *
 * Errors with a StreamError: CHANGED for an object that was replaced, and at the first block that
 * differs. Unsubscribing closes the connection.
 */
export const readCopies =
  ({ bucket, known, breaker }: Parts): OpenSource =>
  ({ url }, ask) =>
    createFlow<SourceEvent>((sink) => {
      const copy = known.get(parseName(url.slice(bucket.url.length))?.key ?? '');
      const nothing = { pause: () => {}, resume: () => {}, close: () => {} };
      const head = copy
        ? contentHead({ name: url, length: copy.blocks.length, fields: copy.headers, source: 'feed' }, ask)
        : new StreamError('SOURCE_MISSING', 'feed', `${url}: its description is gone`);
      if (!copy || head instanceof StreamError) {
        sink.error(head);
        return nothing;
      }
      const aborting = new AbortController();
      const { name, etag } = copy;
      let paused = false;
      let body: Readable | undefined;
      const opening =
        ask.method === 'HEAD'
          ? breaker.run(bucket.look(name)).then((found) => {
              if (!found) throw new StreamError('SOURCE_MISSING', 'feed', `${url}: no such object`);
              return undefined;
            })
          : breaker.run(bucket.open(name, etag, rangeOf(head, copy), aborting.signal));
      opening.then(
        (opened) => {
          if (aborting.signal.aborted) return opened?.destroy();
          sink.ahead(head);
          if (!opened || head.from > (head.last ?? copy.blocks.length - 1)) {
            opened?.destroy();
            return sink.complete();
          }
          body = opened;
          readBlocks(opened, head, copy, url, sink);
          if (paused) opened.pause();
        },
        (error: unknown) => {
          if ((error as StreamError).code === 'SOURCE_MISSING') known.forget(copy.key);
          sink.error(error);
        },
      );
      return {
        pause: () => {
          paused = true;
          body?.pause();
        },
        resume: () => {
          paused = false;
          body?.resume();
        },
        close: () => {
          aborting.abort();
          body?.destroy();
        },
      };
    }, LOANS);

/** The whole blocks that contain the wanted bytes; nothing for all of them. */
const rangeOf = ({ from, last }: SourceHead, { blocks: { length } }: KnownCopy) => {
  const first = from - (from % BLOCK);
  const end = Math.min(length, Math.ceil(((last ?? length - 1) + 1) / BLOCK) * BLOCK);
  return length === 0 || from >= length || (first === 0 && end === length) ? undefined : { first, last: end - 1 };
};

/** Passes on the wanted bytes of a stream of blocks, and ends with it. */
const readBlocks = (
  body: Readable,
  { from, last }: SourceHead,
  { blocks: { length, crc32: sums } }: KnownCopy,
  url: string,
  sink: Sink<SourceEvent>,
): void => {
  const stop = last === undefined ? length : last + 1;
  let start = from - (from % BLOCK);
  let memory: Buffer | undefined;
  let filled = 0;
  let over = false;

  const release = () => {
    if (memory) loanOf(memory)?.release();
    memory = undefined;
    filled = 0;
  };
  const end = () => {
    over = true;
    release();
  };
  const fail = (error: StreamError) => {
    if (over) return;
    end();
    body.destroy();
    sink.error(error);
  };
  const complete = () => {
    end();
    // Its connection can be used again once its end was read.
    body.resume();
    sink.complete();
  };

  /** The block is complete. */
  const pass = (block: Buffer) => {
    if (crc32(block) !== sums[start / BLOCK])
      return fail(new StreamError('CHANGED', 'feed', `${url} changed after byte ${start} since it was stored`));
    const bytes = block.subarray(Math.max(0, from - start), Math.min(block.length, stop - start));
    sink.next({ type: 'chunk', bytes, loan: loanOf(block) });
    start += block.length;
    release();
    if (start >= stop) complete();
  };

  body.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && !over; ) {
      memory ??= lend(1, BLOCK);
      const size = Math.min(BLOCK, length - start);
      const count = Math.min(chunk.length - at, size - filled);
      chunk.copy(memory, filled, at, at + count);
      at += count;
      filled += count;
      if (filled === size) pass(memory.subarray(0, size));
    }
  });
  const cut = () =>
    fail(new StreamError('CONNECTION_LOST', 'feed', `${url}: the store ended at byte ${start + filled}`));
  body.on('end', cut);
  body.on('error', (error) => fail(storeError(error, url)));
  body.on('close', cut);
};
