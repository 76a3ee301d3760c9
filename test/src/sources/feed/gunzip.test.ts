import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BehaviorSubject, map } from 'rxjs';
import { field, type OpenSource, type SourceHead } from '../../../../pipelines/model/index.ts';
import { lift, flow as through } from '../../../../pipelines/operators/flow.ts';
import { createFeed, type Feed } from '../../../../src/sources/feed/open.ts';
import { sourceContract } from '../../../contracts/source.ts';
import { anAsk, at, collect, failureOf, someBytes } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { flow, serveContents, startFeed, type TestFeed } from '../../../support/feeds.ts';
import { until } from '../../../support/until.ts';

const decodes = ({ headers, from, last }: SourceHead) =>
  field(headers, 'content-encoding') === 'gzip' && from === 0 && last === undefined;
const decoding =
  (open: OpenSource): OpenSource =>
  (location, ask) =>
    open(location, { ...ask, decodes });

// The catalog has the size of what is decoded, as well as a tag.
sourceContract('an HTTP feed that compresses unasked', async () => {
  const contents = new Map<string, Uint8Array>();
  const feed = createFeed(feedSettings());
  const plain = serveContents(contents);
  const origin = await startFeed((request, response) => {
    const content = contents.get(request.url ?? '');
    const { range, 'if-range': ifRange } = request.headers;
    if (!content?.length || (range && ifRange !== '"other"')) return plain(request, response);
    response.writeHead(200, { 'Content-Encoding': 'gzip', ETag: '"packed"' });
    return response.end(request.method === 'HEAD' ? undefined : gzipSync(content));
  });
  const open: OpenSource = (location, ask) =>
    through(
      decoding(feed.open)(location, ask),
      lift(
        map((event) => {
          const content = contents.get(new URL(location.url).pathname);
          if (event.type !== 'head' || !content?.length) return event;
          return { ...event, length: event.length ?? content.length, etag: `"${content.length}-${content[0]}"` };
        }),
      ),
    );
  return {
    open,
    offer: async (path, content) => {
      contents.set(`/${path}`, content);
      return at(`${origin.url}/${path}`);
    },
    missing: () => at(`${origin.url}/missing`),
    freed: origin.quiet,
    close: async () => {
      await feed.close();
      await origin.close();
    },
  };
});

describe('a body that is gzip unasked', () => {
  const opened: (Feed | TestFeed)[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
  const serving = async (body: Uint8Array) => {
    const feed = createFeed(feedSettings());
    let sent = 0;
    const origin = await startFeed((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': body.length, 'Content-MD5': 'x' });
      flow(response, body, (bytes) => {
        sent = bytes;
      });
    });
    opened.push(feed, origin);
    const open = (valve = new BehaviorSubject(true)) => decoding(feed.open)(at(origin.url), anAsk())(valve);
    return { open, origin, sent: () => sent };
  };
  const text = Buffer.from('bear '.repeat(1000));

  it('has a head that describes the decoded content', async () => {
    const { head, body } = await collect((await serving(gzipSync(text))).open());
    expect(body.equals(text)).toBe(true);
    expect(head?.length).toBeUndefined();
    const names = head?.headers.map(([name]) => name.toLowerCase());
    expect(names?.filter((name) => /content/.test(name))).toEqual([]);
  });

  it('may consist of several members', async () => {
    const { open } = await serving(Buffer.concat([gzipSync(text), gzipSync(text)]));
    expect((await collect(open())).body.equals(Buffer.concat([text, text]))).toBe(true);
  });

  it('passes as it is if it does not begin as gzip', async () =>
    expect((await collect((await serving(text)).open())).body.equals(text)).toBe(true));

  it.each([
    ['is cut', gzipSync(text).subarray(0, -9), 'unexpected end of file'],
    ['is damaged', Buffer.from(gzipSync(text)).fill(255, 12, 20), 'it cannot be decoded'],
    ['expands without end', gzipSync(Buffer.alloc(64 << 20)), 'expands it to more than 250 times its size'],
  ])('errors if it %s, and closes the connection', async (_, body, message) => {
    const { open, origin } = await serving(body);
    const error = await failureOf(open());
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', message: expect.stringContaining(message) });
    await origin.quiet();
  });

  it('is not read while nobody wants it', async () => {
    const large = gzipSync(someBytes(48 << 20), { level: 0 });
    const { open, sent } = await serving(large);
    const valve = new BehaviorSubject(true);
    let chunks = 0;
    const subscription = open(valve).subscribe(({ type }) => {
      if (type !== 'chunk') return;
      chunks += 1;
      valve.next(false);
    });
    await until(() => chunks > 0);
    // Another transfer runs to its end: time enough to read the rest.
    await collect((await serving(gzipSync(someBytes(8 << 20), { level: 0 }))).open());
    expect(chunks).toBe(1);
    expect(sent()).toBeLessThan(large.length);
    subscription.unsubscribe();
  });
});
