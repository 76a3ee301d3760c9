/**
 * Values through three operators, by one way of streaming them: `streams.ts WAY VALUES at-once|slowly`.
 * A slow consumer takes a value of 1 KiB in each turn of the event loop. Prints CPU nanoseconds for
 * each value, the most values that were made and not yet taken, and the MiB by which the peak of
 * resident memory rose. Fails if a value is missing.
 */
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web';
import { setImmediate } from 'node:timers/promises';
import { as, from } from 'ix/asynciterable';
import * as ix from 'ix/asynciterable/operators';
import { concatMap, filter, lastValueFrom, map, Observable } from 'rxjs';
import { createFlow, type Flow, flow, Gate, lift, toAsyncIterable } from '../../pipelines/operators/index.ts';

interface Value {
  readonly index: number;
  readonly bytes: Uint8Array | undefined;
}

const [way = '', count, manner] = process.argv.slice(2);
const slowly = manner === 'slowly';

let [made, taken, ahead, sum] = [0, 0, 0, 0];
const make = (): Value => {
  ahead = Math.max(ahead, made - taken);
  return { index: made++, bytes: slowly ? Buffer.alloc(1024) : undefined };
};
/** Resolves when the consumer wants the next value; undefined: at once. */
const take = ({ index }: Value): Promise<void> | undefined => {
  taken += 1;
  sum += index;
  return slowly ? setImmediate() : undefined;
};

const next = ({ index, bytes }: Value): Value => ({ index: index + 1, bytes });
const isWanted = ({ index }: Value): boolean => index >= 0;
const double = ({ index, bytes }: Value): Value => ({ index: 2 * index, bytes });

function* all(values: number): Generator<Value> {
  while (made < values) yield make();
}

const flowOf = (values: number): Flow<Value> =>
  flow(
    createFlow<Value>((sink) => {
      let open = true;
      const run = () => {
        while (open && made < values) sink.next(make());
        if (open) sink.complete();
      };
      const pause = () => {
        open = false;
      };
      const resume = () => {
        open = true;
        run();
      };
      queueMicrotask(run);
      return { pause, resume, close: pause };
    }),
    lift(map(next)),
    lift(filter(isWanted)),
    lift(map(double)),
  );

const transform = (work: (value: Value, push: (value: Value) => void) => void): Transform =>
  new Transform({
    objectMode: true,
    transform(value: Value, _, done) {
      work(value, (result) => this.push(result));
      done();
    },
  });
const webTransform = (work: (value: Value, push: (value: Value) => void) => void): TransformStream<Value, Value> =>
  new TransformStream({ transform: (value, controller) => work(value, (result) => controller.enqueue(result)) });

const WAYS: Readonly<Record<string, (values: number) => Promise<unknown>>> = {
  rxjs: (values) => {
    const source = new Observable<Value>((out) => {
      while (made < values) out.next(make());
      out.complete();
    });
    const result = source.pipe(map(next), filter(isWanted), map(double));
    return slowly ? lastValueFrom(result.pipe(concatMap((value) => take(value) ?? []))) : result.forEach(take);
  },
  flow: (values) =>
    new Promise((resolve, reject) => {
      const valve = new Gate(true);
      const reopen = () => valve.next(true);
      flowOf(values)(valve).subscribe({
        next: (value) => {
          const later = take(value);
          if (!later) return;
          valve.next(false);
          later.then(reopen);
        },
        error: reject,
        complete: () => resolve(undefined),
      });
    }),
  pulled: async (values) => {
    for await (const value of toAsyncIterable(flowOf(values))) await take(value);
  },
  node: (values) =>
    pipeline(
      new Readable({
        objectMode: true,
        read() {
          this.push(made < values ? make() : null);
        },
      }),
      transform((value, push) => push(next(value))),
      transform((value, push) => isWanted(value) && push(value)),
      transform((value, push) => push(double(value))),
      new Writable({
        objectMode: true,
        write(value: Value, _, done) {
          const later = take(value);
          if (later) later.then(() => done(), done);
          else done();
        },
      }),
    ),
  web: (values) =>
    new ReadableStream<Value>({
      pull: (controller) => (made < values ? controller.enqueue(make()) : controller.close()),
    })
      .pipeThrough(webTransform((value, push) => push(next(value))))
      .pipeThrough(webTransform((value, push) => isWanted(value) && push(value)))
      .pipeThrough(webTransform((value, push) => push(double(value))))
      .pipeTo(new WritableStream({ write: (value) => take(value) })),
  ix: async (values) => {
    const result = as(from(all(values))).pipe(ix.map(next), ix.filter(isWanted), ix.map(double));
    for await (const value of result) await take(value);
  },
};

const run = async (values: number): Promise<void> => {
  [made, taken, ahead, sum] = [0, 0, 0, 0];
  await WAYS[way]?.(values);
  if (taken !== values || sum !== values * (values + 1)) throw new Error(`${way}: ${taken} of ${values} values`);
};

const values = Number(count);
// Node compiles code while it runs. It would be the peak of memory as well.
if (!slowly) await run(values);
const before = process.resourceUsage().maxRSS;
const began = process.cpuUsage();
await run(values);
const { user, system } = process.cpuUsage(began);
const peak = (process.resourceUsage().maxRSS - before) / 1024;
process.stdout.write(`${JSON.stringify({ nanoseconds: (1000 * (user + system)) / values, ahead: ahead + 1, peak })}\n`);
