import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, NEVER, of } from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
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
      check: ({ host }) => {
        if (host === 'b.example') throw new StreamError('HOST_REFUSED', 'client', 'not permitted');
      },
      dial: () => {
        const socket = new Socket();
        dialled.push(socket);
        return socket;
      },
      failed: (_, { message }) => new StreamError('CONNECT_FAILED', 'feed', message),
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

  it('is named by its server if it is refused, or if its server cannot be reached', async () => {
    const { log, dialled, port } = await start();
    const refused = dial(port);
    await refused.send(CONNECT.replaceAll('a.example', 'b.example'));
    await refused.until((received) => received.includes('403'));
    const failed = dial(port);
    await failed.send(CONNECT);
    await until(() => dialled.length === 1);
    dialled[0]?.destroy(new Error('unreachable'));
    await failed.until((received) => received.includes('502'));
    expect(log).toMatchObject([
      { method: 'CONNECT', target: 'b.example:443', status: 403, error: { code: 'HOST_REFUSED' } },
      { method: 'CONNECT', target: 'a.example:443', status: 502, error: { code: 'CONNECT_FAILED' } },
    ]);
  });
});
