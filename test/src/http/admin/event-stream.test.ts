import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { eventOf, eventStream, type StreamedEvent } from '../../../../src/http/admin/event-stream.ts';
import { createAdminServer } from '../../../../src/http/admin/server.ts';
import type { HttpServer } from '../../../../src/http/listeners.ts';
import { until } from '../../../support/until.ts';

let server: HttpServer | undefined;
afterEach(() => server?.stop(0));

const start = async (events: Subject<StreamedEvent>, limit?: number) => {
  server = createAdminServer({ endpoints: [eventStream('/events', events, limit)] });
  const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
  const url = `http://127.0.0.1:${address?.port}/events`;
  return async (): Promise<IncomingMessage & { text: string }> => {
    const request = get(url).on('error', () => {});
    const [response] = await once(request, 'response');
    response.setEncoding('utf8');
    response.text = '';
    response.on('error', () => {});
    return response;
  };
};

const numbered = (count: number, size = 0): StreamedEvent => ({
  frame: eventOf('frame', `${count}${'.'.repeat(size)}`),
  snapshot: () => eventOf('snapshot', `${count}`),
});

const reading = (response: IncomingMessage & { text: string }) =>
  response.on('data', (text: string) => {
    response.text += text;
  });

describe('the stream of events', () => {
  it('begins with a snapshot for each viewer, and ends when the listener stops', async () => {
    const events = new Subject<StreamedEvent>();
    const connect = await start(events);
    const first = connect();
    await until(() => events.observed);
    events.next(numbered(1));
    const one = reading(await first);
    expect(one.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const second = connect();
    await until(() => events.observers.length === 2);
    events.next(numbered(2));
    const two = reading(await second);
    await until(() => two.text !== '' && one.text.includes('2'));
    expect(one.text).toBe('event: snapshot\ndata: 1\n\nevent: frame\ndata: 2\n\n');
    expect(two.text).toBe('event: snapshot\ndata: 2\n\n');
    two.destroy();
    await until(() => events.observers.length === 1);
    const closed = new Promise((resolve) => one.on('close', resolve));
    await server?.stop(0);
    await closed;
    await until(() => !events.observed);
  });

  it('drops what a viewer does not read, and sends a snapshot when it reads again', async () => {
    const events = new Subject<StreamedEvent>();
    const connect = await start(events);
    const connecting = connect();
    await until(() => events.observed);
    events.next(numbered(0));
    const slow = await connecting;
    slow.pause();
    const before = process.memoryUsage().arrayBuffers;
    let sent = 0;
    // More than all sockets hold.
    for (; sent < 400; sent += 1) {
      events.next(numbered(sent, 1 << 20));
      await new Promise(setImmediate);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
    reading(slow).resume();
    await until(() => {
      events.next(numbered(999));
      return slow.text.includes('event: snapshot\ndata: 999');
    });
    expect(slow.text.length).toBeLessThan(200 << 20);
  });

  it('refuses viewers over the limit', async () => {
    const events = new Subject<StreamedEvent>();
    const connect = await start(events, 1);
    const first = connect();
    await until(() => events.observed);
    events.next(numbered(1));
    await first;
    expect((await connect()).statusCode).toBe(503);
  });
});
