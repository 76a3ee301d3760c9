import type { Header } from '../../../../pipelines/model/index.ts';
import { chunkDecoder, type Decode } from './chunked.ts';
import { Http1Error, lost, malformed } from './errors.ts';
import { type Framing, framingOf } from './framing.ts';
import { endOfHead, readHead } from './head.ts';

interface Events {
  head(status: number, headers: readonly Header[]): void;
  /** The bytes are the argument of `read`, or a part of it. */
  data(bytes: Buffer): void;
}

/** The most interim responses (1xx) before a response. */
export const MOST_INTERIM = 32;

/**
 * Reads one response out of what a connection delivers. A class with fields: one is made for each
 * request, and closures or accessors would cost more than the reading.
 */
export class ResponseReader {
  /** Known once the head was read. */
  framing: Framing | undefined;
  /** Bytes of a body of known length that are to come. */
  rest = 0;
  isUntouched = true;
  hasEnded = false;

  readonly #method: string;
  readonly #events: Events;
  /** The head so far, if it came in pieces. A copy, since the next bytes lie elsewhere. */
  #begun: Buffer | undefined;
  #interim = 0;
  #decode: Decode | undefined;

  constructor(method: string, events: Events) {
    this.#method = method;
    this.#events = events;
  }

  /** Whether the body has at most this many bytes left; false if that is not known. */
  hasAtMost(bytes: number): boolean {
    return typeof this.framing?.body === 'number' && this.rest <= bytes;
  }

  /**
   * Reads the next bytes, which may be changed. Returns how many belong to the response; fewer than
   * all if it ended within them. Throws if they are malformed.
   */
  read(bytes: Buffer): number {
    this.isUntouched = false;
    if (this.framing) return this.#readBody(bytes);
    const before = this.#begun?.length ?? 0;
    const all = this.#begun ? Buffer.concat([this.#begun, bytes]) : bytes;
    const at = this.#readHeads(all);
    const taken = this.hasEnded || at === all.length ? at : at + this.#readBody(all.subarray(at));
    return taken - before;
  }

  /**
   * The connection has ended, by the peer’s own word or not. Returns the error, unless that is the
   * end of the body.
   */
  close(own: boolean): Http1Error | undefined {
    if (!this.framing) return lost('the connection ended before the head');
    const { body, keepAlive } = this.framing;
    if (body === 'close')
      return own ? undefined : lost('the TCP connection ended within a body, without an end of TLS');
    if (body === 'chunked' || keepAlive) return lost('the connection ended within the body');
    return new Http1Error('SHORT_BODY', `the connection ended as announced, ${this.rest} bytes too early`);
  }

  /** Returns how many of the bytes belong to the heads. */
  #readHeads(bytes: Buffer): number {
    this.#begun = undefined;
    let at = 0;
    while (!this.framing) {
      const end = endOfHead(at === 0 ? bytes : bytes.subarray(at));
      if (end < 0) {
        this.#begun = Buffer.from(bytes.subarray(at));
        return bytes.length;
      }
      const head = readHead(bytes.toString('latin1', at, at + end));
      at += end;
      if (head.status === 101) throw malformed('the server changes the protocol, which was not requested');
      if (head.status >= 200) this.#begin(head.status, framingOf(this.#method, head));
      else if (++this.#interim > MOST_INTERIM) throw malformed(`more than ${MOST_INTERIM} interim responses`);
    }
    return at;
  }

  #begin(status: number, framing: Framing): void {
    this.framing = framing;
    if (typeof framing.body === 'number') this.rest = framing.body;
    if (framing.body === 'chunked') this.#decode = chunkDecoder();
    this.hasEnded = framing.body === 0;
    this.#events.head(status, framing.headers);
  }

  #readBody(bytes: Buffer): number {
    if (this.#decode) {
      const { content, taken, hasEnded, error } = this.#decode(bytes);
      this.hasEnded = hasEnded;
      if (content > 0) this.#events.data(bytes.subarray(0, content));
      if (error) throw error;
      return taken;
    }
    if (this.framing?.body === 'close') {
      this.#events.data(bytes);
      return bytes.length;
    }
    const taken = Math.min(this.rest, bytes.length);
    this.rest -= taken;
    this.hasEnded = this.rest === 0;
    this.#events.data(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    return taken;
  }
}
