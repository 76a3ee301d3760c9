import { limitConcurrency } from 'pulp-streamer/operators';
import { defer, timer } from 'rxjs';

// Two downloads at a time, whoever starts them. It takes any Observable; `lift(limit)` takes a flow.
const limit = limitConcurrency(2);
let running = 0;
for (const name of ['a', 'b', 'c'])
  limit(
    defer(() => {
      running += 1;
      console.log(`${name} begins, ${running} running`);
      return timer(10);
    }),
  ).subscribe({
    complete: () => {
      running -= 1;
    },
  });
//=> a begins, 1 running
//=> b begins, 2 running
//=> c begins, 2 running
