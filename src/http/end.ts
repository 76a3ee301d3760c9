import type { ServerResponse } from 'node:http';
import { reset } from './reset.ts';

/**
 * Ends a response. If the client then reads nothing for `clientTimeout` milliseconds (0: no limit),
 * the connection is reset. Until then, the pipeline watches the client. Node counts from the last
 * byte that the client read or sent.
 */
export const end = (res: ServerResponse, body: Uint8Array | string | undefined, clientTimeout: number): void => {
  res.end(body);
  if (clientTimeout > 0 && res.writableLength > 0) res.setTimeout(clientTimeout, () => reset(res.socket));
};
