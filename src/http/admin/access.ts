import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request to the admin listener is refused, as status and text. */
export type Refusal = readonly [status: number, text: string];

export const READING: readonly string[] = ['GET', 'HEAD'];
export const CHANGING: readonly string[] = ['POST'];

interface Access {
  readonly names: readonly string[];
  readonly anyOrigin: boolean;
  /** Default: those that only read. */
  readonly methods?: readonly string[];
}

/** `HOST:PORT` or `HOST`, the brackets of an IPv6 address left out. */
const HOST = /^\[?(.*?)\]?(?::\d*)?$/;

/**
 * Refuses requests that a web page in a browser on this machine may have caused. The listener has
 * no passwords, and a browser reaches loopback from any page:
 * - whatever is not GET or HEAD, over TCP. So browsers get no permission in advance either (CORS);
 * - a `Host` that is a foreign name: its owner can let it resolve to loopback, and a page from
 *   there would then read the responses as its own (DNS rebinding). An address cannot be rebound,
 *   and probes ask by address. Without a `Host`, which HTTP/1.0 allows, no browser asks;
 * - the `Origin` of another page;
 * - what another page loads as a picture, a script or a frame, which has no `Origin`. Browsers say so
 *   in fields that no page can set (Fetch Metadata). A link that the operator follows is answered.
 */
export const refusalOf = (
  { method = '', headers: { host = '', origin, ...headers } }: IncomingMessage,
  { names, anyOrigin, methods = READING }: Access,
): Refusal | undefined => {
  if (!methods.includes(method)) return [405, `expected ${methods.join(' or ')}, found ${method}`];
  const name = HOST.exec(host)?.[1]?.toLowerCase() ?? '';
  if (name !== '' && name !== 'localhost' && isIP(name) === 0 && !names.includes(name))
    return [421, `expected a Host that is an address, localhost or one of admin_hosts; found ${name}`];
  if (origin !== undefined && !anyOrigin && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return ofOtherPages;
  return anyOrigin || !isLoadedByOthers(headers) ? undefined : ofOtherPages;
};

const ofOtherPages: Refusal = [403, 'requests of other web pages are refused'];

/** A frame is a navigation, too, but not to a document of its own. */
const isLoadedByOthers = (headers: IncomingHttpHeaders): boolean => {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return mode !== 'navigate' || (destination !== undefined && destination !== 'document');
};
