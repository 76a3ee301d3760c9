import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SIZES } from '../../../../../src/lib/lent-buffers.ts';
import type { Dial } from '../../../../../src/sources/feed/http1/dial.ts';
import { type Line, openLine } from '../../../../../src/sources/feed/http1/line.ts';
import { lentReads } from '../../../../../src/sources/feed/http1/reads.ts';
import { awaitTurn, isTurnOver } from '../../../../../src/sources/feed/http1/turns.ts';

let now = 0;

beforeEach(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});

afterEach(async () => {
  jest.restoreAllMocks();
  // What waits is of no other test.
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
});

describe('a turn of the event loop', () => {
  it('is over for connections with more to read after 5 ms, counted from the first of them', async () => {
    const own = () => {};
    const over: boolean[] = [];
    for (const passed of [100, 4, 1, 0]) {
      now += passed;
      over.push(isTurnOver(own));
    }
    expect(over).toEqual([false, false, true, true]);
    await nextTurn();
    expect(isTurnOver(own)).toBe(false);
  });

  it('lets one of those read on that wait, in their order', async () => {
    const resumed: string[] = [];
    for (const name of ['a', 'b', 'c']) awaitTurn(() => resumed.push(name));
    const turns: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await nextTurn();
      turns.push(resumed.join(''));
    }
    expect(turns).toEqual(['a', 'ab', 'abc', 'abc']);
  });
});

describe('a turn for which connections wait', () => {
  it('is that of the first of them, for 5 ms from its own first read; others wait, too', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => () => void name) as [() => void, () => void, () => void];
    const over = () => [a, b, c].map(isTurnOver);
    isTurnOver(c);
    awaitTurn(a);
    awaitTurn(b);
    expect(isTurnOver(c)).toBe(true);
    await nextTurn();
    now += 100;
    expect(over()).toEqual([false, true, true]);
    now += 5;
    expect(over()).toEqual([true, true, true]);
    await nextTurn();
    expect(over()).toEqual([false, false, false]);
  });

  it('ends, also if nobody else waits', async () => {
    const [a, b] = [() => {}, () => {}];
    awaitTurn(a);
    await nextTurn();
    await nextTurn();
    awaitTurn(b);
    expect(isTurnOver(a)).toBe(true);
  });
});

/** Reads whose memory is always full. */
const greedy = () => {
  const reader = { wants: true, rests: false, again: 0 };
  const reads = lentReads({
    take: () => {},
    wants: () => reader.wants,
    gathers: () => false,
    rests: () => reader.rests,
    again: () => {
      reader.again += 1;
    },
  });
  const memory = () => (reads.onread.buffer as () => Uint8Array)();
  /** Returns whether it reads on. */
  const fill = () => reads.onread.callback(memory().length, memory());
  return { reader, reads, memory, fill };
};

describe('a connection that fills its memory', () => {
  it('reads on within the turn, then waits for its next one', async () => {
    const { reader, reads, memory, fill } = greedy();
    while (memory().length < SIZES[2]) expect(fill()).toBe(true);
    expect(fill()).toBe(true);
    now += 5;
    expect(fill()).toBe(false);
    expect(reader.again).toBe(0);
    await nextTurn();
    expect(reader.again).toBe(1);
    expect(fill()).toBe(true);
    reads.release();
  });

  it('does not wait after the end of a response: the next one may be small', () => {
    const { reader, reads, memory, fill } = greedy();
    while (memory().length < SIZES[2]) fill();
    fill();
    now += 5;
    reader.rests = true;
    expect(fill()).toBe(true);
    reads.release();
  });

  it('waits once, if a pause has come and gone meanwhile', async () => {
    const { reader, reads, memory, fill } = greedy();
    while (memory().length < SIZES[2]) fill();
    fill();
    now += 5;
    awaitTurn(() => {});
    expect([fill(), fill()]).toEqual([false, false]);
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    expect(reader.again).toBe(1);
    reads.release();
  });

  it('is not resumed when it has paused, or is over', async () => {
    const [paused, over] = [greedy(), greedy()];
    for (const { memory, fill } of [paused, over]) {
      while (memory().length < SIZES[2]) fill();
      fill();
    }
    now += 5;
    paused.reader.wants = false;
    expect(paused.fill()).toBe(false);
    expect(over.fill()).toBe(false);
    over.reads.release();
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    expect([paused.reader.again, over.reader.again]).toEqual([0, 0]);
    paused.reads.release();
  });
});

describe('connections that always have more to read', () => {
  const BODY = Buffer.alloc(8 * 1024 * 1024, 'x');
  const server = createServer((socket) => socket.end(BODY));
  let dial: Dial;

  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    dial = (onread, ready) => ({
      socket: connect({ host: '127.0.0.1', port, onread }, ready),
      ownEnd: () => true,
    });
  });

  afterAll(async () => {
    await once(server.close(), 'close');
  });

  /** Resolves to the number of bytes. `took` is called after each read. */
  const receive = (took: (line: Line, bytes: number) => void = () => {}): Promise<number> =>
    new Promise((resolve, reject) => {
      let bytes = 0;
      const line: Line = openLine(dial, {
        bytes: ({ length }) => {
          bytes += length;
          took(line, bytes);
        },
        gathers: () => false,
        rests: () => false,
        closed: (how) => {
          line.close();
          if ('error' in how) reject(how.error);
          else resolve(bytes);
        },
      });
    });

  // Each look at the clock is 5 ms later: a turn is over with the first memory that is full.
  beforeEach(() => {
    jest.spyOn(performance, 'now').mockImplementation(() => {
      now += 5;
      return now;
    });
  });

  it('are all read to the end, in turn', async () => {
    expect(await Promise.all(Array.from({ length: 4 }, () => receive()))).toEqual(Array(4).fill(BODY.length));
  });

  it('stay paused if they paused while they waited for their turn', async () => {
    const afterPause: number[] = [];
    let pausedAt = 0;
    let whilePaused: number | undefined;
    const all = await receive((line, bytes) => {
      if (pausedAt > 0) afterPause.push(bytes);
      if (pausedAt > 0 || bytes < SIZES[3]) return;
      pausedAt = bytes;
      // The read that is over ended the turn of the connection. Turns of others pass, then it goes on.
      queueMicrotask(async () => {
        line.pause();
        for (let turn = 0; turn < 20; turn += 1) await nextTurn();
        whilePaused = afterPause.length;
        line.resume();
      });
    });
    expect(all).toBe(BODY.length);
    expect(whilePaused).toBe(0);
  });
});
