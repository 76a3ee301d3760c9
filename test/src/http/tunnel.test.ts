import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, NEVER, of } from 'rxjs';
import { createHttpServer, type StreamerServer } from '../../../src/http/server.ts';
import type { FinishedRequest } from '../../../src/lib/finished-request.ts';
import { dial } from '../../support/raw-http.ts';
import { headWith } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

let server: StreamerServer | undefined;
afterEach(() => server?.stop(0));

/** A streamer whose servers never answer, and the connections to them. */
const start = async () => {
  const log: FinishedRequest[] = [];
  const dialled: Socket[] = [];
  const made = createHttpServer({
    fetch: () => concat(of(headWith(3)), NEVER),
    finished: (one) => log.push(one),
    newId: () => 'id',
    now: () => 0,
    identify: { via: false, cacheStatus: false, proxyStatus: false, requestId: false },
    legacyErrors: false,
    tunnels: {
      check: () => {},
      dial: () => {
        const socket = new Socket();
        dialled.push(socket);
        return socket;
      },
      failed: (_, error) => {
        throw error;
      },
      idleTimeout: 0,
    },
  });
  server = made;
  const [address] = await made.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
  return { log, dialled, taken: () => made.load().transfers, port: address?.port ?? 0 };
};

const CONNECT = 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n';

describe('a tunnel', () => {
  it('gives its place back if its connection ends before the server is reached', async () => {
    const { log, dialled, taken, port } = await start();
    const client = dial(port);
    await client.send(CONNECT);
    await until(() => dialled.length === 1);
    expect(taken()).toBe(1);
    await server?.stop(0);
    await until(() => dialled[0]?.destroyed === true);
    expect(taken()).toBe(0);
    expect(log).toMatchObject([{ method: 'CONNECT', target: 'a.example', status: 499 }]);
  });

  it('takes no place if it follows a request that is not answered yet', async () => {
    const { dialled, taken, port } = await start();
    const client = dial(port);
    await client.send(`GET /a HTTP/1.1\r\nHost: a\r\n\r\n${CONNECT}`);
    await client.until((received) => received.includes('200 OK'));
    client.socket.destroy();
    await until(() => taken() === 0);
    expect(dialled).toEqual([]);
  });
});
