import { afterEach, describe, expect, it } from '@jest/globals';
import { concat, filter, firstValueFrom, of, Subject } from 'rxjs';
import type { SourceEvent } from '../../../pipelines/index.ts';
import { composeStreamer } from '../../../src/app/compose.ts';
import type { ClientRequest } from '../../../src/http/server-options.ts';
import { aCandidate, anEntry, aPolicy, sourceHead } from '../../support/pipeline.ts';
import { dial, type RawClient } from '../../support/raw-http.ts';
import { stubServers } from '../../support/stub-server.ts';
import { until } from '../../support/until.ts';

const start = stubServers();
const clients: RawClient[] = [];
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});

const CHUNK = Buffer.alloc(64 * 1024, 'x');
// Without chunks of HTTP between those of the transfer.
const GET = 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n';

/** A transfer whose chunks come when the test pushes them. */
const transfer = async (length: number | undefined) => {
  const entry = anEntry({ checksum: undefined });
  const chunks = new Subject<SourceEvent>();
  let request: ClientRequest | undefined;
  const streamer = composeStreamer({
    catalog: { lookup: () => of(entry) },
    sources: [() => of(aCandidate('a', entry))],
    open: () => () => concat(of(sourceHead({ length })), chunks),
    policy: aPolicy({ headTimeout: 60_000, readTimeout: 60_000 }),
  });
  const { port, log } = await start((asked, report) => {
    request = asked;
    return streamer.fetch(entry.path, { ...asked, report });
  });
  const client = dial(port);
  clients.push(client);
  const push = () => chunks.next({ type: 'chunk', bytes: CHUNK });
  await client.send(GET);
  await until(() => chunks.observed);
  // The head comes with the first bytes, and those of unknown length with the bytes after them.
  push();
  push();
  await client.until((received) => received.includes('\r\n\r\n'));
  let open = true;
  request?.valve.subscribe((state) => {
    open = state;
  });
  const pauses = async () => {
    client.socket.destroy();
    await until(() => log.length === 1);
    return log[0]?.report?.pauses;
  };
  return {
    client,
    push,
    pauses,
    isOpen: () => open,
    opens: () => firstValueFrom(request!.valve.pipe(filter(Boolean))),
  };
};

describe.each([1 << 30, undefined])('the pauses of a transfer of length %s', (length) => {
  it('are as many as those of a client that stops reading now and then', async () => {
    const { client, push, pauses, isOpen, opens } = await transfer(length);
    for (let pause = 0; pause < 5; pause += 1) {
      client.socket.pause();
      while (isOpen()) push();
      client.socket.resume();
      await opens();
    }
    expect(await pauses()).toBe(5);
  });

  it('are none if the client reads what comes', async () => {
    const { client, push, pauses } = await transfer(length);
    const head = client.received().length;
    for (let count = 1; count <= 40; count += 1) {
      push();
      // The last chunk is held back as long as it may be the end.
      await client.until((received) => received.length >= head + (count - 1) * CHUNK.length);
    }
    expect(await pauses()).toBe(0);
  });
});
