import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ERRORS, type StreamError, statusOf } from '../../../pipelines/model/index.ts';

/** One path of the admin listener. Requests for it were judged before: see `refusalOf`. */
export interface Endpoint {
  readonly path: string;
  /** Answers GET and HEAD of the path, with whatever query. */
  readonly answer: (req: IncomingMessage, res: ServerResponse) => void;
  /**
   * A request with the `Origin` of any page is answered: only for what no page can send without a
   * permission that this listener never gives.
   */
  readonly anyOrigin?: boolean;
  /** Whether the answer for an unknown path names it. Default: true. */
  readonly listed?: boolean;
}

/** Status and text; a text of one line or more is sent with a line break at its end. */
export type Answer = readonly [status: number, text?: string];

export const errorAnswer = ({ code }: StreamError): Answer => [statusOf(code), ERRORS[code].meaning];

/** An endpoint that answers with a short text. */
export const textEndpoint = (
  path: string,
  answer: (req: IncomingMessage) => Answer,
  options: Pick<Endpoint, 'anyOrigin'> = {},
): Endpoint => ({ path, answer: (req, res) => respond(res, answer(req)), ...options });

/** Every answer of the listener has these fields. */
export const ADMIN_HEADERS = {
  'Cache-Control': 'no-store',
  // Other pages must not embed it as a script, a style or a picture either.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
} as const;

export const respond = (res: ServerResponse, [status, text]: Answer, headers: OutgoingHttpHeaders = {}): void => {
  res.writeHead(status, {
    ...(text !== undefined && { 'Content-Type': 'text/plain; charset=utf-8' }),
    ...ADMIN_HEADERS,
    ...headers,
  });
  res.end(text && `${text}\n`);
};
