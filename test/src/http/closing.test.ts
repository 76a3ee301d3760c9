import { afterEach, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import type { StreamEvent } from '../../../pipelines/index.ts';
import { chunk } from '../../support/pipeline.ts';
import { dial, type RawClient, responsesIn } from '../../support/raw-http.ts';
import { headWith, stubServers } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

const start = stubServers();
const clients: RawClient[] = [];
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});

const dialed = (port: number): RawClient => {
  const client = dial(port);
  clients.push(client);
  return client;
};

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** The kernels on both sides hold it. */
const BODY = 'x'.repeat(366_749);

/** A client that has read nothing of a response that is complete. */
const unread = async (limits = {}) => {
  const started = await start(() => of<StreamEvent[]>(headWith(BODY.length), chunk(BODY)), limits);
  const client = dialed(started.port);
  client.socket.pause();
  await client.send(get('/x'));
  await until(() => started.log.length === 1);
  expect(started.log).toMatchObject([{ status: 200 }]);
  return { ...started, client };
};

/** A reset would discard what the client has not read (RFC 9112 section 9.6). */
const expectWhole = async (client: RawClient) => {
  client.socket.resume();
  expect(await client.ended).toBe('end');
  expect(responsesIn(client.received(), [], true)).toMatchObject([{ status: 200, body: BODY }]);
};

describe('a complete response that the client has not read yet', () => {
  it('is not lost when the server stops and its time is over', async () => {
    const { client, server } = await unread();
    await server.stop(0);
    await expectWhole(client);
  });

  it('is not lost when its connection makes room for another one, while input of it is unread', async () => {
    const { client, port } = await unread({ connections: 1 });
    // Empty lines before a request are ignored. They are more than the server reads at a time.
    client.socket.write('\r\n'.repeat(8 << 20));
    const other = dialed(port);
    await other.send(get('/z'));
    await other.until((received) => received.endsWith(BODY));
    await expectWhole(client);
  });

  it('is not lost when the client half-closes its connection', async () => {
    const { client } = await unread();
    client.socket.end();
    await expectWhole(client);
  });
});

describe('a connection that has sent no request yet when the server stops', () => {
  it('gets the response to its first request, and is closed', async () => {
    const { port, server } = await start(() => of<StreamEvent[]>(headWith(1), chunk('x')));
    const client = dialed(port);
    const other = dialed(port);
    await other.send(get('/before'));
    await other.until((received) => received.endsWith('x'));
    // Both are accepted by now, in their order.
    const stopped = server.stop(60_000);
    await client.send(get('/x'));
    expect(await client.ended).toBe('end');
    expect(responsesIn(client.received(), [], true)).toMatchObject([{ status: 200, body: 'x' }]);
    await stopped;
  });
});
