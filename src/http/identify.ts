import type { IncomingMessage } from 'node:http';
import { ERRORS, type Head, type Header, isCopy, type Note, type StreamError } from '../../pipelines/model/index.ts';

/** Selects which of the fields about a response's origin are sent. */
export interface Identify {
  readonly via: boolean;
  readonly cacheStatus: boolean;
  readonly proxyStatus: boolean;
  readonly requestId: boolean;
}

/** Our name in the chain of intermediaries. */
const NAME = 'pulp-streamer';

/**
 * The fields that identify one response; it observes the response's notes first. Fields of the same
 * name from sources stay before ours, except the source's request id.
 */
export interface Identity {
  observe(note: Note): void;
  /** The fields of a response, including ours. */
  ofHead(head: Head): readonly Header[];
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
export const identify = (id: string, { via, cacheStatus, proxyStatus, requestId }: Identify): Identity => {
  let copyKnown = false;
  let asked = false;
  let collapsed = false;
  const ofRequest: readonly Header[] = requestId ? [['X-Request-Id', id]] : [];

  return {
    ofRequest,
    observe: (note) => {
      if (note.type === 'found') copyKnown = note.candidates.some(isCopy);
      if (note.type === 'attempt') asked = true;
      if (note.type === 'shared') collapsed = true;
    },
    ofHead: (head) => [
      ...head.headers.filter(([name]) => !(requestId && name.toLowerCase() === 'x-request-id')),
      ...(via ? [['Via', `1.1 ${NAME}`] as const] : []),
      ...(cacheStatus && asked ? [['Cache-Status', cached(head, { copyKnown, collapsed })] as const] : []),
      ...ofRequest,
    ],
    ofError: ({ code, sourceStatus }) => {
      const error = ERRORS[code].proxyError;
      const status = member({ error, 'received-status': sourceStatus, details: string(code) });
      return [...(proxyStatus ? [['Proxy-Status', status] as const] : []), ...ofRequest];
    },
  };
};

/**
 * `copyKnown`: a copy existed, but may not have been usable. `collapsed`: the response shares
 * another request's transfer.
 */
const cached = (
  { candidate, sourceStatus, keepsCopy }: Head,
  { copyKnown, collapsed }: { readonly copyKnown: boolean; readonly collapsed: boolean },
): string =>
  isCopy(candidate)
    ? member({ hit: true })
    : member({
        fwd: copyKnown ? 'miss' : 'uri-miss',
        'fwd-status': sourceStatus,
        stored: keepsCopy || undefined,
        collapsed: collapsed || undefined,
        detail: string(candidate.source.kind),
      });

/**
 * The request's own id, if it is short and well-formed: it is copied to logs, tasks and header
 * fields.
 */
export const requestIdOf = ({ headers }: IncomingMessage): string | undefined => {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\w.+/=:~@-]{1,128}$/.test(id) ? id : undefined;
};

/**
 * Our member of a list, with parameters (RFC 9651 section 4.1.1). Undefined parameters are left
 * out.
 */
const member = (parameters: Readonly<Record<string, string | number | true | undefined>>): string =>
  Object.entries(parameters).reduce(
    (text, [key, value]) => (value === undefined ? text : `${text};${key}${value === true ? '' : `=${value}`}`),
    NAME,
  );

/** A text of printable ASCII, quoted (RFC 9651 section 4.1.6). */
const string = (text: string): string => `"${text.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`;
