import { Readable } from 'node:stream';
import { flow, fromReadable, OPEN, stallTimeout } from 'pulp-streamer/operators';

// A stream that falls silent after its first chunk.
const silent = fromReadable(() =>
  new Readable({ read() {} }).setEncoding('utf8').on('resume', function () {
    this.push('hello');
  }),
);
const timed = flow(silent, stallTimeout({ timeoutMs: 20, error: (ms) => new Error(`nothing for ${ms} ms`) }));
timed(OPEN).subscribe({ next: console.log, error: ({ message }) => console.log(message) });
//=> hello
//=> nothing for 20 ms
