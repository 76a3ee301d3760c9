import type { IncomingMessage } from 'node:http';
import { ERRORS, type Head, type Header, isCopy, type Note, type StreamError } from '../../pipelines/model/index.ts';

/** Which of the fields that tell how a response came about are sent. */
export interface Identify {
  readonly via: boolean;
  readonly cacheStatus: boolean;
  readonly proxyStatus: boolean;
  readonly requestId: boolean;
}

/** How we call ourselves in the chain of intermediaries. */
const NAME = 'pulp-streamer';

/** What is told of one response; its notes first. What sources said in fields of the same name stays before it, except for their request's id. */
export interface Identity {
  observe(note: Note): void;
  /** The fields of a response, ours among them. */
  ofHead(head: Head): readonly Header[];
  /** What is told of an error that we answer with. */
  ofError(error: StreamError): readonly Header[];
  /** What is told of the request alone. */
  readonly ofRequest: readonly Header[];
}

/**
 * `X-Request-Id` names the request as in our log. `Via` (RFC 9110 section 7.6.3) and `Cache-Status` (RFC 9211) are for responses that sources
 * gave: of one that we made ourselves, an error, `Proxy-Status` (RFC 9209) tells the cause. None of them tells where sources are.
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

/** `copyKnown`: there was a saved copy, which may not have been of use; `collapsed`: another request's transfer is shared. */
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

/** The request's own id where it is short and well-formed: it goes into logs, tasks and header fields. */
export const requestIdOf = ({ headers }: IncomingMessage): string | undefined => {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\w.+/=:~@-]{1,128}$/.test(id) ? id : undefined;
};

/** Ourselves as the member of a list, with parameters (RFC 9651 section 4.1.1); those that are undefined are left out. */
const member = (parameters: Readonly<Record<string, string | number | true | undefined>>): string =>
  Object.entries(parameters).reduce(
    (text, [key, value]) => (value === undefined ? text : `${text};${key}${value === true ? '' : `=${value}`}`),
    NAME,
  );

/** A text of printable ASCII, quoted (RFC 9651 section 4.1.6). */
const string = (text: string): string => `"${text.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`;
