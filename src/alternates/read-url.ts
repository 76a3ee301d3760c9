import { throwError, timeout } from 'rxjs';
import { type Access, type OpenSource, StreamError, stallTimeout } from '../../pipelines/index.ts';
import { readBytes } from '../sources/bytes.ts';

interface Timeouts {
  /** Milliseconds until a head, and between bytes. */
  readonly headTimeout: number;
  readonly readTimeout: number;
}

/**
 * Reads whole files at every kind of URL that `open` supports, with one access. It is for
 * repository metadata, not for clients' content.
 */
export const urlReader =
  (open: OpenSource, access: Access, { headTimeout, readTimeout }: Timeouts) =>
  (url: string): AsyncIterable<Uint8Array> =>
    readBytes((valve) =>
      open({ url, access }, { method: 'GET', from: 0, valve }).pipe(
        timeout({ first: headTimeout, with: () => throwError(() => silent(url, headTimeout)) }),
        stallTimeout({ timeoutMs: readTimeout, valve, error: () => silent(url, readTimeout) }),
      ),
    );

const silent = (url: string, timeoutMs: number) =>
  new StreamError('STALLED', 'feed', `${url} sent nothing for ${timeoutMs} ms`);
