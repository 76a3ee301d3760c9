import { createGunzip } from 'node:zlib';
import { type SourceHead, StreamError } from '../../../pipelines/model/index.ts';
import { loanOf } from '../../lib/lent-buffers.ts';

interface Gunzipped {
  data(bytes: Uint8Array): void;
  end(): void;
  error(error: StreamError): void;
  /** The decoder has taken what it got, and wants more. */
  drained(): void;
}

/** Decodes one body. */
export interface Gunzip {
  /** Takes bytes, and the memory that they are lent in until they are decoded. */
  write(bytes: Uint8Array): void;
  /** Whether written bytes wait for the decoder. The feed should pause then. */
  readonly isBusy: boolean;
  end(): void;
  /** Nothing more is decoded until `resume`, except for one piece. */
  pause(): void;
  resume(): void;
  /** Nothing is called afterwards. */
  close(): void;
}

/** Fields of an encoded body that do not apply to the decoded content. */
const OF_CODING: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'content-md5', 'etag']);

/** The head of the decoded content. */
export const decodedHead = ({ etag: _, length: __, ...head }: SourceHead): SourceHead => ({
  ...head,
  headers: head.headers.filter(([name]) => !OF_CODING.has(name.toLowerCase())),
});

/** Every gzip member begins with it. */
const MAGIC = 0x1f;

/** The largest piece of decoded content. */
const PIECE = 64 * 1024;

/** Real files seldom shrink to a hundredth. The format allows a thousandth. */
const EXPANSION = 250;
const FREE = 1024 * 1024;

/**
 * Decodes gzip as it comes, in a thread of the pool. Data that does not begin as gzip passes as it
 * is: some servers declare a coding that they do not apply. Errors with `PROTOCOL_ERROR` if the data is
 * damaged, ends early, or expands to more than 250 times its size (and 1 MiB).
 *
 * @param url the name of the source in errors
 */
export const gunzip = (url: string, out: Gunzipped): Gunzip => {
  const decoder = createGunzip({ chunkSize: PIECE });
  let waiting = 0;
  let read = 0;
  let made = 0;
  let raw = false;

  const fail = (what: string) => {
    decoder.destroy();
    out.error(new StreamError('PROTOCOL_ERROR', 'feed', `${url} sent gzip unasked, and ${what}`));
  };

  decoder
    .on('data', (bytes: Buffer) => {
      made += bytes.length;
      if (made > FREE + EXPANSION * read) fail(`expands it to more than ${EXPANSION} times its size`);
      else out.data(bytes);
    })
    .on('end', out.end)
    .on('error', ({ message }) => fail(`it cannot be decoded: ${message}`));

  return {
    write: (bytes) => {
      if (read === 0) raw = bytes[0] !== MAGIC;
      if (raw) {
        read += bytes.length;
        out.data(bytes);
        out.drained();
        return;
      }
      const loan = loanOf(bytes);
      loan?.retain();
      waiting += 1;
      read += bytes.length;
      decoder.write(bytes, () => {
        loan?.release();
        waiting -= 1;
        if (waiting === 0 && !decoder.destroyed) out.drained();
      });
    },
    get isBusy() {
      return waiting > 0;
    },
    end: () => {
      if (raw) out.end();
      else decoder.end();
    },
    pause: () => decoder.pause(),
    resume: () => decoder.resume(),
    close: () =>
      decoder
        .removeAllListeners()
        .on('error', () => {})
        .destroy(),
  };
};
