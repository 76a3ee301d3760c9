import type { IncomingMessage } from 'node:http';
import { ERRORS, type Head, type Header, isCopy, type Note, type StreamError } from '../../pipelines/model/index.ts';

/** Selects which of the fields about a response's origin are sent. */
export interface Identify {
  readonly via: boolean;
  readonly cacheStatus: boolean;
  readonly proxyStatus: boolean;
  readonly requestId: boolean;
}

/** Our name in the chain of intermediaries, and in lists with parameters (RFC 9651 section 4.1.1). */
const NAME = 'pulp-streamer';

/**
 * The fields that identify one response; it observes the response's notes first. Fields of the same
 * name from sources stay before ours, except the source's request id.
 */
export interface Identity {
  observe(note: Note): void;
  /** The fields of a response, including ours: names and values in turn. A new array. */
  ofHead(head: Head): string[];
  /** The fields of an error that the streamer itself sends. */
  ofError(error: StreamError): readonly Header[];
  /** The fields that depend on the request alone. */
  readonly ofRequest: readonly Header[];
}

/**
 * `X-Request-Id` names the request as in the log. Responses from sources also have `Via` (RFC 9110
 * section 7.6.3) and `Cache-Status` (RFC 9211). Errors that the streamer itself sends have
 * `Proxy-Status` (RFC 9209), which names the cause. None of the fields reveals the location of a
 * source.
 */
export const identify = (id: string, which: Identify): Identity => new Identified(id, which);

class Identified implements Identity {
  readonly #id: string;
  readonly #which: Identify;
  /** Whether a copy existed; it may not have been usable. */
  #copyKnown = false;
  #asked = false;
  /** Whether the response shares another request's transfer. */
  #collapsed = false;

  constructor(id: string, which: Identify) {
    this.#id = id;
    this.#which = which;
  }

  observe(note: Note): void {
    if (note.type === 'found') this.#copyKnown = note.candidates.some(isCopy);
    else if (note.type === 'attempt') this.#asked = true;
    else if (note.type === 'shared') this.#collapsed = true;
  }

  get ofRequest(): readonly Header[] {
    return this.#which.requestId ? [[REQUEST_ID, this.#id]] : [];
  }

  ofHead(head: Head): string[] {
    const { via, cacheStatus, requestId } = this.#which;
    const fields: string[] = [];
    for (const [name, value] of head.headers)
      if (!requestId || name.length !== REQUEST_ID.length || name.toLowerCase() !== 'x-request-id')
        fields.push(name, value);
    if (via) fields.push('Via', `1.1 ${NAME}`);
    if (cacheStatus && this.#asked) fields.push('Cache-Status', this.#cached(head));
    if (requestId) fields.push(REQUEST_ID, this.#id);
    return fields;
  }

  ofError({ code, sourceStatus }: StreamError): readonly Header[] {
    if (!this.#which.proxyStatus) return this.ofRequest;
    const { proxyError } = ERRORS[code];
    const error = proxyError === undefined ? '' : `;error=${proxyError}`;
    const received = sourceStatus === undefined ? '' : `;received-status=${sourceStatus}`;
    const status = `${NAME}${error}${received};details=${quoted(code)}`;
    return [['Proxy-Status', status], ...this.ofRequest];
  }

  #cached({ candidate, sourceStatus, keepsCopy }: Head): string {
    const { staleFor } = candidate.entry;
    // RFC 9211 section 2.3: what is left of its freshness.
    const ttl = staleFor === undefined ? '' : `;ttl=-${Math.ceil(staleFor / 1000)}`;
    if (isCopy(candidate)) return `${NAME};hit${ttl}`;
    let status = `${NAME};fwd=${this.#copyKnown ? 'miss' : 'uri-miss'}`;
    if (sourceStatus !== undefined) status += `;fwd-status=${sourceStatus}`;
    if (keepsCopy) status += ';stored';
    if (this.#collapsed) status += ';collapsed';
    return `${status};detail=${quoted(candidate.source.kind)}`;
  }
}

const REQUEST_ID = 'X-Request-Id';

/**
 * The request's own id, if it is short and well-formed: it is copied to logs, tasks and header
 * fields.
 */
export const requestIdOf = ({ headers }: IncomingMessage): string | undefined => {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\w.+/=:~@-]{1,128}$/.test(id) ? id : undefined;
};

/** A text of printable ASCII, quoted (RFC 9651 section 4.1.6). */
const quoted = (text: string): string =>
  /^[\w:.-]*$/.test(text) ? `"${text}"` : `"${text.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`;
