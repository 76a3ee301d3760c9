import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BehaviorSubject } from 'rxjs';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { createFeed, type Feed, type FeedSettings } from '../../../../src/sources/feed/open.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, digestOf, type Events, eventsOf, failureOf, someBytes } from '../../../support/collect.ts';
import { FEED_CLIENTS, feedClient } from '../../../support/feed-clients.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { flood, flow, startFeed, startRaw, startScript, type TestFeed } from '../../../support/feeds.ts';
import { until } from '../../../support/until.ts';

const MIB = 1024 * 1024;

describe.each(FEED_CLIENTS)('a feed’s flow, %s', (client) => {
  const by = feedClient(client);
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });
  const make = (more?: Partial<FeedSettings>): Feed => {
    const feed = by(createFeed(feedSettings(more)));
    cleanUps.push(feed.close);
    return feed;
  };
  const start = async (making: Promise<TestFeed>): Promise<TestFeed> => {
    const origin = await making;
    cleanUps.push(origin.close);
    return origin;
  };

  /** Subscribes and records the events. */
  const watch = (events: Events) => {
    const chunks: Uint8Array[] = [];
    const seen = { head: false, over: false, error: undefined as unknown, chunks };
    const subscription = eventsOf(events).subscribe({
      next: (event) => {
        if (event.type === 'head') seen.head = true;
        else chunks.push(Buffer.from(event.bytes));
      },
      error: (error) => {
        seen.error = error;
      },
      complete: () => {
        seen.over = true;
      },
    });
    return { seen, leave: () => subscription.unsubscribe() };
  };

  it.each([false, true])(
    'stops the server’s socket while the valve is closed, and loses nothing (TLS: %p)',
    async (secure) => {
      const content = someBytes(64 * MIB);
      const { authority, server } = await createCertificates();
      const { listener, sent } = flood(content);
      const origin = await start(startFeed(listener, secure ? server : undefined));
      const feed = make();
      const access = secure ? { ca: authority.cert } : undefined;
      const valve = new BehaviorSubject(false);
      const { seen } = watch(feed.open(at(`${origin.url}/paused`, { access }), anAsk())(valve));
      await until(() => seen.head);
      // Opened and closed in one turn of the event loop, it counts as closed.
      valve.next(true);
      valve.next(false);
      // Only what came together with the head.
      const before = seen.chunks.length;
      // In the same time, another connection transfers as much as the paused one could have moved.
      await collect(feed.open(at(`${origin.url}/other`, { access }), anAsk()));
      expect(seen.chunks).toHaveLength(before);
      expect(sent.get('/other')).toBeGreaterThanOrEqual(content.length);
      // The capacity of the kernel buffers of both sides, and little of ours.
      expect(sent.get('/paused')).toBeLessThan(16 * MIB);
      valve.next(true);
      await until(() => seen.over);
      expect(digestOf(Buffer.concat(seen.chunks))).toBe(digestOf(content));
    },
  );

  it('delivers the head of several parts while the valve is closed, and no more', async () => {
    const half = 16 * MIB;
    const content = someBytes(2 * half + 5000);
    const parts = [
      { first: 0, last: half - 1 },
      { first: content.length - half, last: content.length - 1 },
    ];
    const pieces = parts.flatMap(({ first, last }) => [
      Buffer.from(`\r\n--x\r\nContent-Range: bytes ${first}-${last}/${content.length}\r\n\r\n`),
      content.subarray(first, last + 1),
    ]);
    const body = Buffer.concat([...pieces, Buffer.from('\r\n--x--\r\n')]);
    let sent = 0;
    const origin = await start(
      startFeed((request, response) => {
        if (!request.headers.range) return response.end(content);
        response.writeHead(206, { 'Content-Type': 'multipart/byteranges; boundary=x', 'Content-Length': body.length });
        return flow(response, body, (bytes) => {
          sent = bytes;
        });
      }),
    );
    const feed = make();
    const valve = new BehaviorSubject(false);
    const { seen } = watch(feed.open(at(origin.url), anAsk({ from: 0, last: content.length - 1, parts }))(valve));
    await until(() => seen.head);
    // In the same time, another connection transfers as much as the paused one could have moved.
    await collect(feed.open(at(origin.url), anAsk()));
    expect(seen.chunks).toHaveLength(0);
    expect(sent).toBeLessThan(half);
    valve.next(true);
    await until(() => seen.over);
    const wanted = Buffer.concat(parts.map(({ first, last }) => content.subarray(first, last + 1)));
    expect(digestOf(Buffer.concat(seen.chunks))).toBe(digestOf(wanted));
    expect(origin.requests.map(({ headers }) => headers.range)).toContain(
      `bytes=0-${half - 1},${content.length - half}-${content.length - 1}`,
    );
  });

  it('may be paused on the last chunk, and its connection reused after', async () => {
    const origin = await start(startFeed((_, response) => response.writeHead(200, { 'Content-Length': 3 }).end('abc')));
    const feed = make();
    for (let round = 0; round < 3; round += 1) {
      const valve = new BehaviorSubject(true);
      const chunks: string[] = [];
      let over = false;
      feed
        .open(
          at(origin.url),
          anAsk(),
        )(valve)
        .subscribe({
          next: (event) => {
            if (event.type === 'head') return;
            chunks.push(Buffer.from(event.bytes).toString());
            valve.next(false);
          },
          complete: () => {
            over = true;
          },
        });
      await until(() => chunks.length === 1);
      // Another request must not get a paused connection.
      await expect(collect(feed.open(at(origin.url), anAsk()))).resolves.toMatchObject({ body: Buffer.from('abc') });
      valve.next(true);
      await until(() => over);
      expect(chunks).toEqual(['abc']);
    }
    expect(origin.requests).toHaveLength(6);
    expect(origin.connections.made).toBeLessThanOrEqual(2);
  });

  it('refuses a request that got no connection in time, without asking the server', async () => {
    const origin = await start(startFeed((_, response) => response.writeHead(200, { 'Content-Length': 3 }).write('a')));
    const feed = make({ connections: 1, placeTimeout: 50 });
    const first = watch(feed.open(at(`${origin.url}/1`), anAsk()));
    await until(() => first.seen.head);
    const waits: boolean[] = [];
    const error = await failureOf(feed.open(at(`${origin.url}/2`), anAsk({ waits: (state) => waits.push(state) })));
    expect(error).toMatchObject({ code: 'SOURCE_FULL', source: 'self' });
    expect(waits).toEqual([true]);
    const third = watch(feed.open(at(`${origin.url}/3`), anAsk({ waits: (state) => waits.push(state) })));
    first.leave();
    await until(() => third.seen.head);
    expect(waits).toEqual([true, true, false]);
    expect(origin.requests.map(({ url }) => url)).toEqual(['/1', '/3']);
  });

  it('completes if the server ends the connection while it is paused', async () => {
    const content = someBytes(200_000);
    const text = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${content.length}\r\n\r\n`;
    const origin = await start(startScript(text, (socket) => socket.end(content)));
    const valve = new BehaviorSubject(false);
    const { seen } = watch(make().open(at(origin.url), anAsk())(valve));
    await until(() => seen.head);
    valve.next(true);
    await until(() => seen.over);
    expect(digestOf(Buffer.concat(seen.chunks))).toBe(digestOf(content));
  });

  it.each([
    [false, 40_000],
    [true, 100],
    [true, 40_000],
    [true, 200_000],
  ])('completes if the end of the connection comes with the last bytes (TLS: %p, %i bytes)', async (secure, length) => {
    const content = someBytes(length);
    const { authority, server } = await createCertificates();
    const answer = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`), content]);
    const origin = await start(startFeed(({ socket }) => socket.end(answer), secure ? server : undefined));
    const access = secure ? { ca: authority.cert } : undefined;
    for (const open of [true, false]) {
      const valve = new BehaviorSubject(open);
      const { seen } = watch(make().open(at(origin.url, { access }), anAsk())(valve));
      await until(() => seen.head);
      valve.next(true);
      await until(() => seen.over);
      expect(digestOf(Buffer.concat(seen.chunks))).toBe(digestOf(content));
    }
  });

  it('lets one response’s chunk open another’s valve, or start another request', async () => {
    const content = someBytes(500_000);
    const origin = await start(
      startFeed((_, response) => response.writeHead(200, { 'Content-Length': content.length }).end(content)),
    );
    const feed = make();
    const valve = new BehaviorSubject(false);
    const waiting = watch(feed.open(at(origin.url), anAsk())(valve)).seen;
    await until(() => waiting.head);
    const started: ReturnType<typeof watch>[] = [];
    let over = false;
    feed
      .open(
        at(origin.url),
        anAsk(),
      )(OPEN)
      .subscribe({
        next: () => {
          valve.next(!valve.value);
          started.push(watch(feed.open(at(origin.url), anAsk())));
        },
        complete: () => {
          over = true;
        },
      });
    await until(() => over);
    valve.next(true);
    const all = [waiting, ...started.map(({ seen }) => seen)];
    await until(() => all.every((seen) => seen.over));
    for (const { chunks } of all) expect(digestOf(Buffer.concat(chunks))).toBe(digestOf(content));
    expect(all.length).toBeGreaterThan(2);
  });

  describe('unsubscribed from', () => {
    const silent = () => startRaw((socket) => socket.resume());

    it('closes the connection: while it is paused', async () => {
      const origin = await start(startFeed((_, response) => response.end(someBytes(10 * MIB))));
      const valve = new BehaviorSubject(false);
      const { seen, leave } = watch(make().open(at(origin.url), anAsk())(valve));
      await until(() => seen.head);
      leave();
      await until(() => origin.connections.open.size === 0);
    });

    it('closes the connection: while the body stalls', async () => {
      const origin = await start(startScript('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
      const { seen, leave } = watch(make().open(at(origin.url), anAsk()));
      await until(() => seen.chunks.length > 0);
      leave();
      await until(() => origin.connections.open.size === 0);
    });

    it('closes the connection: before the head', async () => {
      const origin = await start(silent());
      const { seen, leave } = watch(make().open(at(origin.url), anAsk()));
      await until(() => [...origin.connections.open].some((socket) => socket.bytesRead > 0));
      leave();
      await until(() => origin.connections.open.size === 0);
      expect(seen).toMatchObject({ head: false, error: undefined, over: false });
    });

    it('closes the connection: within the TLS handshake', async () => {
      const origin = await start(silent());
      const { seen, leave } = watch(make({ connectTimeout: 0 }).open(at(origin.url.replace('http', 'https')), anAsk()));
      await until(() => [...origin.connections.open].some((socket) => socket.bytesRead > 0));
      leave();
      await until(() => origin.connections.open.size === 0);
      expect(seen).toMatchObject({ error: undefined });
    });

    it('sends no request: before the connection is established', async () => {
      const origin = await start(startFeed((_, response) => response.end()));
      const feed = make();
      watch(feed.open(at(`${origin.url}/left`), anAsk())).leave();
      const { leave } = watch(feed.open(at(`${origin.url}/left`), anAsk()));
      await Promise.resolve();
      leave();
      await collect(feed.open(at(`${origin.url}/stayed`), anAsk()));
      expect(origin.requests.map(({ url }) => url)).toEqual(['/stayed']);
    });

    it('sends no request: at once', async () => {
      const origin = await start(startFeed((_, response) => response.end()));
      watch(make().open(at(`${origin.url}/left`), anAsk())).leave();
      await collect(make().open(at(`${origin.url}/other`), anAsk()));
      expect(origin.connections.made).toBe(1);
    });

    it('sends no request: on a reused connection, which stays open', async () => {
      const origin = await start(startFeed((_, response) => response.end()));
      const feed = make();
      await collect(feed.open(at(`${origin.url}/first`), anAsk()));
      const { leave } = watch(feed.open(at(`${origin.url}/left`), anAsk()));
      await Promise.resolve();
      leave();
      await collect(feed.open(at(`${origin.url}/last`), anAsk()));
      await collect(feed.open(at(`${origin.url}/last`), anAsk()));
      expect(origin.requests.map(({ url }) => url)).toEqual(['/first', '/last', '/last']);
    });

    it('sends no request: while it waits for a connection', async () => {
      const running: ServerResponse[] = [];
      const origin = await start(startFeed((_, response) => running.push(response)));
      const feed = make({ connections: 1 });
      const first = watch(feed.open(at(`${origin.url}/1`), anAsk()));
      const second = watch(feed.open(at(`${origin.url}/2`), anAsk()));
      const third = watch(feed.open(at(`${origin.url}/3`), anAsk()));
      await until(() => running.length === 1);
      second.leave();
      running[0]?.end();
      await until(() => running.length === 2);
      running[1]?.end();
      await until(() => third.seen.over);
      expect(first.seen.over).toBe(true);
      expect(origin.requests.map(({ url }) => url)).toEqual(['/1', '/3']);
      expect(origin.connections.made).toBe(1);
    });

    it('frees its slot for the next in line: within the TLS handshake', async () => {
      const origin = await start(silent());
      const feed = make({ connections: 1, connectTimeout: 300 });
      const first = watch(feed.open(at(origin.url.replace('http', 'https')), anAsk()));
      const second = failureOf(feed.open(at(origin.url.replace('http', 'https')), anAsk()));
      await until(() => origin.connections.made === 1);
      first.leave();
      await expect(second).resolves.toMatchObject({ code: 'CONNECT_TIMEOUT' });
      expect(origin.connections.made).toBe(2);
    });

    it('leaves no descriptor open, however often', async () => {
      const origin = await start(startFeed((_, response) => response.end(someBytes(MIB))));
      // What has ended before it was left is closed soon, too.
      const feed = make({ idleTimeout: 10 });
      const leaveAt = async (moment: (seen: ReturnType<typeof watch>['seen']) => boolean) => {
        const { seen, leave } = watch(feed.open(at(origin.url), anAsk()));
        await until(() => moment(seen));
        leave();
      };
      const round = async () => {
        await Promise.all([
          leaveAt(() => true),
          leaveAt(({ head }) => head),
          leaveAt(({ chunks }) => chunks.length > 2),
        ]);
        await until(() => origin.connections.open.size === 0);
      };
      await round();
      const before = readdirSync('/proc/self/fd').length;
      for (let count = 0; count < 10; count += 1) await round();
      await until(() => readdirSync('/proc/self/fd').length <= before);
    });
  });

  it('respects its limit of connections, first come first served', async () => {
    const running: { url: string | undefined; response: ServerResponse }[] = [];
    const origin = await start(startFeed(({ url }, response) => running.push({ url, response })));
    const feed = make({ connections: 3 });
    const paths = Array.from({ length: 12 }, (_, index) => `/${index}`);
    const all = Promise.all(paths.map((path) => collect(feed.open(at(origin.url + path), anAsk()))));
    await until(() => running.length === 3);
    for (const index of paths.keys()) {
      await until(() => running.length === Math.min(index + 3, paths.length));
      running[index]?.response.end(running[index]?.url);
    }
    expect((await all).map(({ body }) => body.toString())).toEqual(paths);
    expect(origin.requests.slice(3).map(({ url }) => url)).toEqual(paths.slice(3));
    expect(origin.connections.made).toBe(3);
  });

  it('does not keep the process alive with an idle connection', async () => {
    const origin = await start(startFeed((_, response) => response.end('x')));
    const program = `
      import { createFeed } from ${JSON.stringify(new URL('../../../../src/sources/feed/open.ts', import.meta.url).href)};
      import { NEVER } from 'rxjs';
      const feed = createFeed(${JSON.stringify(feedSettings({ idleTimeout: 1_000_000 }))});
      feed.open({ entry: { path: '/x' }, url: '${origin.url}' }, { method: 'GET', from: 0 })(NEVER).subscribe({ complete: () => console.log('done') });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout).toBe('done\n');
  });

  it('continues after a connection that failed: the next request gets a new one', async () => {
    let count = 0;
    const origin = await start(
      startRaw((socket) => {
        count += 1;
        const good = count > 2;
        socket.once('data', () =>
          good ? socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi') : socket.destroy(),
        );
      }),
    );
    const feed = make({ connections: 1 });
    const events = () => feed.open(at(origin.url), anAsk());
    const results = await Promise.allSettled([
      collect(events()),
      collect(events()),
      collect(events()),
      collect(events()),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  });

  it('closes idle connections, and all of them at the end', async () => {
    const origin = await start(startFeed((_, response) => response.end('x')));
    const brief = make({ idleTimeout: 50 });
    await collect(brief.open(at(origin.url), anAsk()));
    expect(origin.connections.made).toBe(1);
    await until(() => origin.connections.open.size === 0);
    const lasting = make({ idleTimeout: 1_000_000 });
    await collect(lasting.open(at(origin.url), anAsk()));
    expect(origin.connections.open.size).toBe(1);
    await lasting.close();
    await until(() => origin.connections.open.size === 0);
  });

  it('fails running and waiting requests when it is closed', async () => {
    const origin = await start(startRaw((socket) => socket.resume()));
    const feed = make({ connections: 1 });
    const running = failureOf(feed.open(at(origin.url), anAsk()));
    const waiting = failureOf(feed.open(at(origin.url), anAsk()));
    await until(() => origin.connections.made === 1);
    await feed.close();
    await expect(running).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(waiting).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(failureOf(feed.open(at(origin.url), anAsk()))).resolves.toMatchObject({ code: 'CONNECT_FAILED' });
  });
});
