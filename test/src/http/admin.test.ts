import { afterEach, describe, expect, it } from '@jest/globals';
import { createAdminServer } from '../../../src/http/admin.ts';
import type { HttpServer } from '../../../src/http/listeners.ts';

let server: HttpServer | undefined;
afterEach(() => server?.stop(0));

describe('the admin listener', () => {
  it('says whether the process lives, and whether it can serve just now', async () => {
    let ready = false;
    server = createAdminServer({ ready: () => ready });
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${address?.port}${path}`);
      return [response.status, response.headers.get('cache-control'), await response.text()];
    };
    expect(await ask('/livez')).toEqual([200, 'no-store', 'alive\n']);
    expect(await ask('/readyz')).toEqual([503, 'no-store', 'the catalog cannot be asked\n']);
    ready = true;
    expect(await ask('/readyz')).toEqual([200, 'no-store', 'ready\n']);
    expect(await ask('/other')).toEqual([404, 'no-store', 'expected /livez or /readyz\n']);
  });
});
