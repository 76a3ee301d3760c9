import { describe, expect, it } from '@jest/globals';
import type { Connection, Exchange, Listener } from '../../../../src/sources/feed/connection.ts';
import { lateConnection } from '../../../../src/sources/feed/late-connection.ts';
import type { FeedRequest } from '../../../../src/sources/feed/request.ts';

const REQUEST: FeedRequest = { url: new URL('http://feed/'), method: 'GET', headers: [], more: [] };

/** What happens to a connection, which is loaded on command. */
const scene = () => {
  const happened: string[] = [];
  const note = (what: string) => () => {
    happened.push(what);
  };
  let load: (connection: Connection) => void = () => {};
  let fail: (error: Error) => void = () => {};
  let loads = 0;
  const connection: Connection = {
    send: (): Exchange => {
      happened.push('send');
      return { pause: note('pause'), resume: note('resume'), abort: note('abort') };
    },
    close: async () => note('close')(),
  };
  const late = lateConnection(() => {
    loads += 1;
    return new Promise((resolve, reject) => {
      load = resolve;
      fail = reject;
    });
  });
  const listener: Listener = {
    head: () => true,
    data: () => {},
    end: note('end'),
    error: (error) => happened.push(String(error)),
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...{ happened, late },
    send: () => late.send(REQUEST, listener, note('done')),
    loaded: async () => {
      load(connection);
      await settled();
    },
    failed: async () => {
      fail(new Error('not there'));
      await settled();
    },
    loads: () => loads,
  };
};

describe('A connection that is loaded late', () => {
  it('sends what came before, and is loaded once', async () => {
    const { happened, send, loaded, loads } = scene();
    const exchange = send();
    expect(happened).toEqual([]);
    await loaded();
    exchange.pause();
    exchange.resume();
    send();
    expect(happened).toEqual(['send', 'pause', 'resume', 'send']);
    expect(loads()).toBe(1);
  });

  it('is paused if that was wanted before', async () => {
    const { happened, send, loaded } = scene();
    const [paused, resumed] = [send(), send()];
    paused.pause();
    resumed.pause();
    resumed.resume();
    await loaded();
    expect(happened).toEqual(['send', 'pause', 'send']);
  });

  it('never sends what was abandoned before, and is free for the next request', async () => {
    const { happened, send, loaded } = scene();
    send().abort();
    await loaded();
    expect(happened).toEqual(['done']);
  });

  it('fails its requests if it cannot be loaded', async () => {
    const { happened, send, failed } = scene();
    send();
    await failed();
    expect(happened).toEqual(['done', 'Error: not there']);
  });

  it('is closed as soon as it is there', async () => {
    const { happened, send, late, loaded } = scene();
    send().abort();
    await late.close();
    await loaded();
    expect(happened).toContain('close');
  });
});
