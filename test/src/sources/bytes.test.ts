import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { concat, EMPTY, NEVER, Observable, of, throwError } from 'rxjs';
import type { SourceEvent } from '../../../pipelines/model/index.ts';
import { createFlow } from '../../../pipelines/operators/create-flow.ts';
import { readBytes } from '../../../src/sources/bytes.ts';
import { createFeed } from '../../../src/sources/feed/open.ts';
import { anAsk, at, digestOf, someBytes } from '../../support/collect.ts';
import { feedSettings } from '../../support/feed-settings.ts';
import { startFeed } from '../../support/feeds.ts';
import { bytesOf, chunk, sourceHead } from '../../support/pipeline.ts';
import { until } from '../../support/until.ts';

describe('a source read by pulling', () => {
  const all = async (events: Observable<SourceEvent>): Promise<string> => {
    let text = '';
    for await (const bytes of readBytes(() => events)) text += Buffer.from(bytes).toString();
    return text;
  };

  it('yields every chunk, without the head', async () => {
    await expect(all(of(sourceHead(), chunk('a'), chunk('b')))).resolves.toBe('ab');
    await expect(all(of(sourceHead()))).resolves.toBe('');
    await expect(all(EMPTY)).resolves.toBe('');
  });

  it('throws the source’s error once, after the bytes before it', async () => {
    const failed = new Error('failed');
    const reader = readBytes(() =>
      concat(
        of(chunk('a')),
        throwError(() => failed),
      ),
    )[Symbol.asyncIterator]();
    await expect(reader.next()).resolves.toEqual({ done: false, value: bytesOf('a') });
    await expect(reader.next()).rejects.toBe(failed);
    await expect(reader.next()).resolves.toEqual({ done: true, value: undefined });
  });

  it('subscribes with the first pull, and answers several pulls in order', async () => {
    let subscribed = 0;
    const events = new Observable<SourceEvent>((subscriber) => {
      subscribed += 1;
      setImmediate(() => {
        subscriber.next(chunk('a'));
        subscriber.next(chunk('b'));
        subscriber.complete();
      });
    });
    const reader = readBytes(() => events)[Symbol.asyncIterator]();
    expect(subscribed).toBe(0);
    const pulls = await Promise.all([reader.next(), reader.next(), reader.next()]);
    expect(pulls.map(({ value }) => value && Buffer.from(value).toString())).toEqual(['a', 'b', undefined]);
    expect(subscribed).toBe(1);
  });

  it('closes the valve while more than 1 MiB waits, and opens it again', async () => {
    const length = 100_000;
    const states: boolean[] = [];
    let pushed = 0;
    let push = () => {};
    const events = (valve: Observable<boolean>) => {
      valve.subscribe((state) => states.push(state));
      return createFlow<SourceEvent>((sink) => {
        let paused = false;
        push = () => {
          while (!paused && pushed < 50) {
            pushed += 1;
            sink.next({ type: 'chunk', bytes: new Uint8Array(length) });
          }
          if (pushed === 50) sink.complete();
        };
        setImmediate(push);
        return {
          pause: () => {
            paused = true;
          },
          resume: () => {
            paused = false;
            setImmediate(push);
          },
          close: () => {},
        };
      })(valve);
    };
    const reader = readBytes(events)[Symbol.asyncIterator]();
    await reader.next();
    expect(pushed).toBe(12);
    expect(states.at(-1)).toBe(false);
    let bytes = length;
    for (;;) {
      const { value } = await reader.next();
      if (!value) break;
      bytes += value.length;
    }
    expect(bytes).toBe(50 * length);
    expect(states.at(-1)).toBe(true);
  });

  it('unsubscribes from the source when its reader leaves, also during a pull', async () => {
    let left = 0;
    const events = new Observable<SourceEvent>((subscriber) => {
      subscriber.next(chunk('a'));
      return () => {
        left += 1;
      };
    });
    for await (const _ of readBytes(() => events)) break;
    expect(left).toBe(1);

    const reader = readBytes(() => events)[Symbol.asyncIterator]();
    await reader.next();
    const waiting = reader.next();
    await expect(reader.return?.()).resolves.toEqual({ done: true, value: undefined });
    await expect(waiting).resolves.toEqual({ done: true, value: undefined });
    await expect(reader.next()).resolves.toEqual({ done: true, value: undefined });
    expect(left).toBe(2);
  });

  it('may be left before the first pull', async () => {
    let subscribed = false;
    const reader = readBytes(() => {
      subscribed = true;
      return NEVER;
    })[Symbol.asyncIterator]();
    await reader.return?.();
    await expect(reader.next()).resolves.toEqual({ done: true, value: undefined });
    expect(subscribed).toBe(false);
  });

  it('reads a real feed as a Node stream', async () => {
    const content = someBytes(5_000_000);
    const origin = await startFeed((_, response) => response.end(content));
    const feed = createFeed(feedSettings());
    const stream = Readable.from(readBytes((valve) => feed.open(at(origin.url), anAsk())(valve)));
    expect(digestOf(Buffer.concat(await stream.toArray()))).toBe(digestOf(content));

    const broken = Readable.from(readBytes((valve) => feed.open(at(`${origin.url}`), anAsk())(valve)));
    broken.once('data', () => broken.destroy());
    await until(() => broken.closed);
    await origin.quiet();
    await feed.close();
    await origin.close();
  });
});
