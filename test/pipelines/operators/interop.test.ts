import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { concatMap, from, lastValueFrom, map, type Observable, Subject, take, toArray } from 'rxjs';
import {
  createFlow,
  type Flow,
  flow,
  fromAsyncIterable,
  fromEventTarget,
  fromReadable,
  fromWebStream,
  Gate,
  lift,
  OPEN,
  pipeTo,
  toAsyncIterable,
  toReadable,
  toWebStream,
} from '../../../pipelines/operators/index.ts';
import { until } from '../../support/until.ts';

const COUNT = 1000;
const NUMBERS = Array.from({ length: COUNT }, (_, index) => index);
const all = <T>(source: Observable<T>): Promise<readonly T[]> => lastValueFrom(source.pipe(toArray()));
const ended = (source: Observable<unknown>): Promise<unknown> => lastValueFrom(source, { defaultValue: undefined });

/** A source that counts what was asked of it, and how it was left. */
interface Watched {
  readonly source: Flow<number>;
  readonly state: { asked: number; left: boolean };
}

/** Numbers without end, one at a time, from each kind of source; or an error, or the end, after some. */
const SOURCES: Readonly<Record<string, (fails?: number, ends?: number) => Watched>> = {
  fromReadable: (fails, ends) => {
    const state = { asked: 0, left: false };
    const source = fromReadable<number>(
      () =>
        new Readable({
          objectMode: true,
          highWaterMark: 1,
          read() {
            if (state.asked === fails) this.destroy(new Error('on purpose'));
            else this.push(state.asked === ends ? null : state.asked++);
          },
          destroy(error, done) {
            state.left = true;
            done(error);
          },
        }),
    );
    return { source, state };
  },
  fromWebStream: (fails, ends) => {
    const state = { asked: 0, left: false };
    const source = fromWebStream<number>(
      () =>
        new ReadableStream<number>(
          {
            pull: (controller) => {
              if (state.asked === fails) controller.error(new Error('on purpose'));
              else if (state.asked === ends) controller.close();
              else controller.enqueue(state.asked++);
            },
            cancel: () => {
              state.left = true;
            },
          },
          { highWaterMark: 0 },
        ),
    );
    return { source, state };
  },
  fromAsyncIterable: (fails, ends) => {
    const state = { asked: 0, left: false };
    const source = fromAsyncIterable<number>(async function* () {
      try {
        for (;;) {
          if (state.asked === fails) throw new Error('on purpose');
          if (state.asked === ends) return;
          yield state.asked++;
        }
      } finally {
        state.left = true;
      }
    });
    return { source, state };
  },
};

describe.each(Object.entries(SOURCES))('%s', (_, make) => {
  it('stops an endless source after three at most, if two are taken', async () => {
    const { source, state } = make();
    expect(await all(source(OPEN).pipe(take(2)))).toEqual([0, 1]);
    await until(() => state.left);
    expect(state.asked).toBeLessThanOrEqual(3);
  });

  it('emits all values in order, whenever the valve moves, and asks for little while it is closed', async () => {
    const { source, state } = make();
    const valve = new Gate(true);
    const got: number[] = [];
    const subscription = source(valve).subscribe((value) => {
      got.push(value);
      expect(valve.value).toBe(true);
      if (value === 99) subscription.unsubscribe();
      if (value % 7 !== 0) return;
      valve.next(false);
      // What was on its way when the valve closed has arrived by then.
      setImmediate(() => {
        expect(state.asked - got.length).toBeLessThanOrEqual(2);
        valve.next(true);
      });
    });
    await until(() => got.length === 100);
    expect(got).toEqual(NUMBERS.slice(0, got.length));
    await until(() => state.left);
  });

  it('emits nothing before a closed valve opens', async () => {
    const { source } = make();
    const valve = new Gate(false);
    const got: number[] = [];
    const subscription = source(valve).subscribe((value) => {
      got.push(value);
      valve.next(false);
    });
    // Another one runs: time enough for a value to slip through.
    await all(make().source(OPEN).pipe(take(20)));
    expect(got).toEqual([]);
    valve.next(true);
    await until(() => got.length > 0);
    subscription.unsubscribe();
  });

  it('completes with the source, after its values', async () => {
    const { source } = make(undefined, 3);
    expect(await all(source(OPEN))).toEqual([0, 1, 2]);
  });

  it('errors with the source, after its values', async () => {
    const got: number[] = [];
    const failed = new Promise((_, reject) =>
      make(3)
        .source(OPEN)
        .subscribe({ next: (one) => got.push(one), error: reject }),
    );
    await expect(failed).rejects.toThrow('on purpose');
    expect(got).toEqual([0, 1, 2]);
  });

  it('releases the source at once if its consumer leaves while it is paused', async () => {
    const { source, state } = make();
    const valve = new Gate(true);
    const subscription = source(valve).subscribe(() => valve.next(false));
    await until(() => !valve.value);
    subscription.unsubscribe();
    await until(() => state.left);
  });
});

describe('a consumer that is slower than a stream', () => {
  const numbers = () => {
    const state = { read: 0 };
    const stream = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        state.read += 1;
        this.push(state.read > 10_000 ? null : state.read);
      },
    });
    return { state, stream };
  };

  it('has the whole stream queued for it by `from`', async () => {
    const { state, stream } = numbers();
    const [taken, next] = [[] as number[], new Subject<void>()];
    const slowly = from(stream as AsyncIterable<number>).pipe(
      concatMap((value) =>
        next.pipe(
          take(1),
          map(() => value),
        ),
      ),
    );
    const subscription = slowly.subscribe((value) => taken.push(value));
    await once(stream, 'end');
    expect([state.read, taken]).toEqual([10_001, []]);
    subscription.unsubscribe();
  });

  it('has one value of a flow, and what the stream itself holds', async () => {
    const { state, stream } = numbers();
    const valve = new Gate(true);
    const taken: number[] = [];
    const subscription = fromReadable<number>(() => stream)(valve).subscribe((value) => {
      taken.push(value);
      valve.next(false);
    });
    await until(() => taken.length === 1);
    // Another stream is read to its end: time enough for this one.
    await ended(fromReadable(() => numbers().stream)(OPEN));
    expect(taken).toEqual([1]);
    expect(state.read).toBeLessThanOrEqual(3);
    subscription.unsubscribe();
  });
});

/** `COUNT` numbers as fast as they are wanted, with what is on its way after a pause. */
const counting = (fails = Number.POSITIVE_INFINITY) => {
  const state = { pushed: 0, left: false, pauses: 0 };
  const source = createFlow<number>((sink) => {
    let paused = false;
    const push = () => {
      while (!paused && !sink.closed && state.pushed < COUNT) {
        if (state.pushed === fails) return sink.error(new Error('on purpose'));
        sink.next(state.pushed++);
      }
      if (state.pushed === COUNT) sink.complete();
    };
    setImmediate(push);
    return {
      pause: () => {
        paused = true;
        state.pauses += 1;
      },
      resume: () => {
        paused = false;
        setImmediate(push);
      },
      close: () => {
        state.left = true;
      },
    };
  });
  return { source, state };
};

/** Each way out of a flow, as something that can be pulled. */
const SINKS: Readonly<Record<string, (source: Flow<number>) => AsyncIterable<number>>> = {
  toReadable: (source) => toReadable(source, Readable, { objectMode: true, highWaterMark: 4 }),
  'Readable.fromWeb of toWebStream': (source) =>
    Readable.fromWeb(toWebStream(source) as never, { objectMode: true, highWaterMark: 4 }),
  toWebStream: (source) => toWebStream(source, { highWaterMark: 4 }) as unknown as AsyncIterable<number>,
  toAsyncIterable: (source) => toAsyncIterable(source),
};

describe.each(Object.entries(SINKS))('%s', (_, make) => {
  it('has all values in order, and its source waits for it', async () => {
    const { source, state } = counting();
    const got: number[] = [];
    let most = 0;
    for await (const value of make(source)) {
      got.push(value);
      most = Math.max(most, state.pushed - got.length);
    }
    expect(got).toEqual(NUMBERS);
    expect(state.pauses).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('subscribes to nothing that is not read twice, and leaves its source when it is left', async () => {
    const { source, state } = counting();
    for await (const value of make(source)) if (value === 1) break;
    await until(() => state.left);
    expect(state.pushed).toBeLessThanOrEqual(12);
  });

  it('fails as its source does', async () => {
    const got: number[] = [];
    const reading = (async () => {
      for await (const value of make(counting(3).source)) got.push(value);
    })();
    await expect(reading).rejects.toThrow('on purpose');
    // Streams may drop what they hold when they fail.
    expect(got).toEqual(NUMBERS.slice(0, got.length));
  });
});

/** A source that emits at once what is wanted, as many as are left, and logs how it was controlled. */
const eager = (left: number) => {
  const log: (string | number)[] = [];
  const source = createFlow<number>((sink) => {
    let paused = false;
    const push = () => {
      while (!paused && !sink.closed && left > 0) {
        log.push(left);
        sink.next(left--);
      }
    };
    queueMicrotask(push);
    return {
      pause: () => {
        paused = true;
        log.push('pause');
      },
      resume: () => {
        paused = false;
        log.push('resume');
        push();
      },
      close: () => log.push('close'),
    };
  });
  return { source, log };
};

/** Microtasks and events that were to come have come. */
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('a stream of a flow that nobody reads', () => {
  it('takes no more than its mark, and pauses its source once', async () => {
    const { source, log } = eager(100);
    const stream = toReadable(source, Readable, { objectMode: true, highWaterMark: 4 });
    stream.read(0);
    await settled();
    expect([log, stream.readableLength]).toEqual([[100, 99, 98, 97, 'pause'], 4]);
    stream.destroy();
  });

  it('takes no more than its strategy allows, and pauses its source once', async () => {
    const { source, log } = eager(100);
    const stream = toWebStream(source, { highWaterMark: 4 });
    await settled();
    expect(log).toEqual([100, 99, 98, 97, 'pause']);
    await stream.cancel();
    expect(log.at(-1)).toBe('close');
  });

  it('can be left before it was read: its source is not opened', async () => {
    const { source, log } = eager(100);
    await once(toReadable(source, Readable).destroy(), 'close');
    await toWebStream(source, { highWaterMark: 0 }).cancel();
    const iterator = toAsyncIterable(source)[Symbol.asyncIterator]();
    const over = { done: true, value: undefined };
    expect([await iterator.return?.(), await iterator.next()]).toEqual([over, over]);
    expect(log).toEqual([]);
  });
});

describe('toAsyncIterable', () => {
  it('has its source run only while a pull waits', async () => {
    const { source, log } = eager(3);
    const iterator = toAsyncIterable(source)[Symbol.asyncIterator]();
    await iterator.next();
    await settled();
    expect(log).toEqual([3, 'pause']);
    await Promise.all([iterator.next(), iterator.next()]);
    expect(log.slice(2)).toEqual(['resume', 2, 'pause', 'resume', 1, 'pause']);
    await iterator.return?.();
  });

  it('moves its valve only if the state changes', async () => {
    const [states, values] = [[] as boolean[], new Subject<number>()];
    const source: Flow<number> = (valve) => {
      valve.subscribe((open) => states.push(open));
      return values;
    };
    const iterator = toAsyncIterable(source)[Symbol.asyncIterator]();
    const pulls = [iterator.next(), iterator.next()];
    for (const value of [1, 2, 3]) values.next(value);
    expect([await Promise.all(pulls), states]).toEqual([
      [1, 2].map((value) => ({ done: false, value })),
      [true, false],
    ]);
  });

  it('has its source run on until more waits than the limit, by weight', async () => {
    const { source, log } = eager(9);
    const size = (value: number) => (value > 6 ? 2 : 1);
    const iterator = toAsyncIterable(source, { limit: 5, size })[Symbol.asyncIterator]();
    await iterator.next();
    await settled();
    // 9 was pulled; 8, 7, 6 and 5 wait, of weight 6.
    expect(log).toEqual([9, 8, 7, 6, 5, 'pause']);
    await iterator.next();
    // 7, 6 and 5, of weight 4, and two more.
    expect(log.slice(6)).toEqual(['resume', 4, 3, 'pause']);
    await iterator.return?.();
  });

  it('is done for a pull that waits, if it is left meanwhile', async () => {
    const silent = createFlow<number>(() => ({ pause: () => {}, resume: () => {}, close: () => {} }));
    const iterator = toAsyncIterable(silent)[Symbol.asyncIterator]();
    const pull = iterator.next();
    await iterator.return?.();
    await expect(pull).resolves.toEqual({ done: true, value: undefined });
  });

  it('throws an error once, after the values before it', async () => {
    const iterator = toAsyncIterable(counting(1).source)[Symbol.asyncIterator]();
    await expect(iterator.next()).resolves.toEqual({ done: false, value: 0 });
    await expect(iterator.next()).rejects.toThrow('on purpose');
    await expect(iterator.next()).resolves.toEqual({ done: true, value: undefined });
  });
});

describe('pipeTo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-to-'));
  const file = join(folder, 'large');
  const content = Buffer.alloc(8 << 20, 'content ');
  let server: ReturnType<typeof createServer>;
  const served: Socket[] = [];
  beforeAll(async () => {
    writeFileSync(file, content);
    server = createServer((socket) => served.push(socket.on('error', () => {})));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    for (const socket of served) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const dial = async (): Promise<[Socket, Socket]> => {
    const before = served.length;
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
    await until(() => served.length > before && !socket.connecting);
    return [socket, served.at(-1) as Socket];
  };

  it('writes a file to a socket that reads slowly, and reads the file no faster', async () => {
    const [client, far] = await dial();
    client.pause();
    let read = 0;
    const counted = flow(
      fromReadable<Buffer>(() => createReadStream(file).on('data', ({ length }) => (read += length))),
      lift((source) => source),
    );
    const sent = ended(pipeTo(counted, far));
    await until(() => far.writableNeedDrain);
    // The kernel's buffers are full, and those of both streams.
    const stopped = read;
    expect(stopped).toBeLessThan(content.length);
    const got: Buffer[] = [];
    client.on('data', (bytes) => got.push(bytes));
    await once(client.resume(), 'end');
    await sent;
    expect(Buffer.concat(got).equals(content)).toBe(true);
  });

  it('writes what comes from a socket to another, whole', async () => {
    const [client, far] = await dial();
    const copy = new PassThrough();
    const sent = ended(
      pipeTo(
        fromReadable(() => far),
        copy,
      ),
    );
    client.end(await readFile(file));
    const got: Buffer[] = [];
    for await (const bytes of copy) got.push(bytes as Buffer);
    await sent;
    expect(Buffer.concat(got).equals(content)).toBe(true);
  });

  it('destroys both streams when it is left', async () => {
    const [, far] = await dial();
    const source = createReadStream(file);
    const subscription = pipeTo(
      fromReadable(() => source),
      far,
    ).subscribe();
    await until(() => far.writableNeedDrain);
    subscription.unsubscribe();
    expect([source.destroyed, far.destroyed]).toEqual([true, true]);
  });

  it('errors with the flow, and destroys the stream', async () => {
    const out = new Writable({ objectMode: true, write: (_, __, done) => done() });
    await expect(ended(pipeTo(counting(3).source, out))).rejects.toThrow('on purpose');
    expect(out.destroyed).toBe(true);
  });

  it('errors with the stream, and leaves the flow', async () => {
    const { source, state } = counting();
    const out = new Writable({ objectMode: true, write: (_, __, done) => done(new Error('full')) });
    await expect(ended(pipeTo(source, out))).rejects.toThrow('full');
    expect(state.left).toBe(true);
  });

  it('errors with a value that the stream does not take', async () => {
    const { source, state } = counting();
    const out = new PassThrough();
    await expect(ended(pipeTo(source, out))).rejects.toThrow('must be of type string');
    expect([state.left, out.destroyed]).toEqual([true, true]);
  });

  it('errors if the stream is closed before the flow has ended', async () => {
    const { source, state } = counting();
    const out = new Writable({ objectMode: true, write: () => {} });
    const result = ended(pipeTo(source, out));
    out.destroy();
    await expect(result).rejects.toThrow('closed before the flow had ended');
    expect(state.left).toBe(true);
  });

  it('may leave the stream open, for more', async () => {
    const got: number[] = [];
    const out = new Writable({
      objectMode: true,
      write: (value: number, _, done) => {
        got.push(value);
        setImmediate(done);
      },
    });
    await ended(pipeTo(counting().source, out, { end: false }));
    await ended(pipeTo(counting().source, out));
    expect(got).toEqual([...NUMBERS, ...NUMBERS]);
    expect(out.listenerCount('drain')).toBe(0);
  });
});

describe('a stream that is over already', () => {
  const failed = () => new PassThrough().on('error', () => {}).destroy(new Error('on purpose'));

  it('is no source, unless it has ended', async () => {
    const all = new PassThrough().end('all').resume();
    await once(all, 'end');
    await expect(ended(fromReadable(() => all)(OPEN))).resolves.toBeUndefined();
    await expect(ended(fromReadable(() => new PassThrough().destroy())(OPEN))).rejects.toThrow('closed before its end');
    const closed = new PassThrough().destroy();
    await once(closed, 'close');
    await expect(ended(fromReadable(() => closed)(OPEN))).rejects.toThrow('closed before its end');
    await expect(ended(fromReadable(failed)(OPEN))).rejects.toThrow('on purpose');
  });

  it('takes nothing, and its source is not opened', async () => {
    const { source, state } = counting();
    await expect(ended(pipeTo(source, new PassThrough().destroy()))).rejects.toThrow(
      'closed before the flow had ended',
    );
    await expect(ended(pipeTo(source, failed()))).rejects.toThrow('on purpose');
    expect(state).toEqual({ pushed: 0, left: false, pauses: 0 });
  });
});

describe('fromReadable', () => {
  it('errors if the stream is closed before its end', async () => {
    const stream = new PassThrough();
    const result = ended(fromReadable(() => stream)(OPEN));
    stream.destroy();
    await expect(result).rejects.toThrow('closed before its end');
  });

  it('errors if it cannot be opened', async () => {
    await expect(ended(fromReadable(() => createReadStream('/no/such/file'))(OPEN))).rejects.toThrow('ENOENT');
    const throws = fromReadable(() => {
      throw new Error('none');
    });
    await expect(ended(throws(OPEN))).rejects.toThrow('none');
  });
});

describe('fromAsyncIterable', () => {
  it('pulls one value at a time, however often the valve moves meanwhile', async () => {
    let pulls = 0;
    const next = () => {
      pulls += 1;
      return new Promise<IteratorResult<number>>(() => {});
    };
    const valve = new Gate(true);
    const subscription = fromAsyncIterable(() => ({ [Symbol.asyncIterator]: () => ({ next }) }))(valve).subscribe();
    await until(() => pulls === 1);
    for (const open of [false, true, false, true]) valve.next(open);
    expect(pulls).toBe(1);
    subscription.unsubscribe();
  });

  it('aborts its signal when it is left: a generator that waits ends', async () => {
    const log: string[] = [];
    const source = fromAsyncIterable(async function* (signal) {
      yield 1;
      log.push('waits');
      await once(signal, 'abort');
      log.push('left');
    });
    const subscription = source(OPEN).subscribe();
    await until(() => log.length === 1);
    subscription.unsubscribe();
    await until(() => log.length === 2);
    expect(log).toEqual(['waits', 'left']);
  });
});

describe('fromEventTarget', () => {
  it('adds its listener when it is subscribed to, and removes the same one when it is left', () => {
    const listeners = new Set<unknown>();
    const target = {
      addEventListener: (type: string, listener: unknown) => type === 'x' && listeners.add(listener),
      removeEventListener: (type: string, listener: unknown) => type === 'x' && listeners.delete(listener),
    };
    const subscription = fromEventTarget(target, 'x', { limit: 1, overflow: 'oldest' })(OPEN).subscribe();
    expect(listeners.size).toBe(1);
    subscription.unsubscribe();
    expect(listeners.size).toBe(0);
  });

  const emit = (target: EventTarget, ...details: number[]) => {
    for (const detail of details) target.dispatchEvent(new CustomEvent('x', { detail }));
  };
  const seen = (overflow: 'error' | 'oldest' | 'newest') => {
    const [target, valve] = [new EventTarget(), new Gate(true)];
    const log: (number | string)[] = [];
    const subscription = fromEventTarget<CustomEvent<number>>(target, 'x', { limit: 2, overflow })(valve).subscribe({
      next: ({ detail }) => log.push(detail),
      error: (error) => log.push(`${error}`),
    });
    emit(target, 1);
    valve.next(false);
    emit(target, 2, 3, 4);
    valve.next(true);
    subscription.unsubscribe();
    emit(target, 5);
    return log;
  };

  it('holds as many events as it may while the valve is closed, and removes its listener when it is left', () => {
    expect(seen('oldest')).toEqual([1, 3, 4]);
    expect(seen('newest')).toEqual([1, 2, 3]);
    expect(seen('error')).toEqual([1, 'RangeError: more than 2 values wait for a closed valve']);
  });
});
