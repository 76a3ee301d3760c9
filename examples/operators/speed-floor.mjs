import { flow, OPEN, speedFloor } from 'pulp-streamer/operators';
import { concat, NEVER, of } from 'rxjs';

// At least 10 bytes in each 20 ms. The first 11 are enough for the first window only.
const slow = flow(
  () => concat(of('hello world'), NEVER),
  speedFloor({ atLeast: 10, window: 20, size: ({ length }) => length, error: () => new Error('too slow') }),
);
slow(OPEN).subscribe({ next: console.log, error: ({ message }) => console.log(message) });
//=> hello world
//=> too slow
