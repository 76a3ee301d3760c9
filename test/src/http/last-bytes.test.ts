import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, defer, distinctUntilChanged, first, ignoreElements, type Observable, of, Subject, tap } from 'rxjs';
import type { Chunk, StreamEvent } from '../../../pipelines/index.ts';
import { chunk } from '../../support/pipeline.ts';
import { dial, responsesIn } from '../../support/raw-http.ts';
import { headWith, stubServers } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

const start = stubServers();
const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

const { _write, _writev } = Socket.prototype;
afterEach(() => {
  Object.assign(Socket.prototype, { _write, _writev });
});

/** Counts the writes of all sockets with this local port. */
const countWrites = (port: number): (() => number) => {
  let writes = 0;
  const counting = (write: (...args: never) => unknown) =>
    function (this: Socket, ...args: unknown[]) {
      if (this.localPort === port) writes += 1;
      return Reflect.apply(write, this, args);
    };
  Object.assign(Socket.prototype, { _write: counting(_write), _writev: _writev && counting(_writev) });
  return () => writes;
};

describe('the last bytes of a body', () => {
  it.each([
    ['', []],
    [', also if a chunk without bytes follows them', [chunk('')]],
  ])('wait for its end%s', async (_, more) => {
    const rest = new Subject<StreamEvent>();
    const { port } = await start(({ path }) =>
      path === '/x' ? concat(of(headWith(3), chunk('ab'), chunk('c'), ...more), rest) : of(headWith(1), chunk('y')),
    );
    const client = dial(port);
    await client.send(GET);
    await client.until((received) => received.includes('\r\n\r\nab'));
    // What had left would have arrived before this.
    const other = dial(port);
    await other.send(GET.replace('/x', '/y'));
    await other.until((received) => received.endsWith('y'));
    expect(client.received()).toMatch(/\r\n\r\nab$/);
    rest.complete();
    await client.until((received) => received.endsWith('\r\n\r\nabc'));
    for (const { socket } of [client, other]) socket.destroy();
  });

  it('leave the valve open, since some sources end only while it is', async () => {
    const body = 'x'.repeat(16 << 20);
    const states: boolean[] = [];
    const { port } = await start(({ valve }) => {
      valve.pipe(distinctUntilChanged()).subscribe((open) => states.push(open));
      const end = defer(() =>
        valve.pipe(
          first((open) => open),
          ignoreElements(),
        ),
      ) as Observable<never>;
      return concat(of(headWith(body.length), chunk(body)), end);
    });
    const client = dial(port);
    await client.send(GET);
    await client.until((received) => responsesIn(received, [], false).length === 1);
    expect(states).toEqual([true]);
    client.socket.destroy();
  });

  it.each([
    ['verified before its head', true],
    ['not verified', false],
  ])('leave in one write with the head if they are the whole body: %s', async (_, verified) => {
    const { port } = await start(() => of<StreamEvent[]>({ ...headWith(3), verified }, chunk('abc')));
    const client = dial(port);
    const writes = countWrites(port);
    await client.send(GET);
    await client.until((received) => received.endsWith('abc'));
    expect(writes()).toBe(1);
    client.socket.destroy();
  });

  it.each(['reads them', 'leaves'])('are retained until the client %s', async (what) => {
    let holders = 0;
    const loan = { retain: () => ++holders, release: () => --holders };
    const lent: Chunk = { type: 'chunk', bytes: new Uint8Array(20_000_000), loan };
    const rest = new Subject<StreamEvent>();
    let asked = false;
    const { port } = await start(() =>
      concat(
        of(headWith(lent.bytes.length), lent).pipe(
          tap({
            complete: () => {
              asked = true;
            },
          }),
        ),
        rest,
      ),
    );
    const client = dial(port);
    client.socket.pause();
    await client.send(GET);
    await until(() => asked);
    expect(holders).toBe(1);
    rest.complete();
    expect(holders).toBe(1);
    if (what === 'leaves') client.socket.resetAndDestroy();
    else client.socket.resume();
    await until(() => holders === 0);
    if (what === 'reads them') await client.until((received) => responsesIn(received, [], false).length === 1);
    client.socket.destroy();
  });
});
