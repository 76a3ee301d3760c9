import { OPEN, shareFlow } from 'pulp-streamer/operators';
import { NEVER, Observable } from 'rxjs';

// One source for two consumers; the second joins late and gets all.
const join = shareFlow({ size: () => 1, lateJoinWindow: 10, window: 10, memory: 100 });
const source = () => () =>
  new Observable((out) => {
    console.log('opened');
    for (const value of [1, 2]) out.next(value);
    setImmediate(() => out.next(3));
  });
const consumer = (name) =>
  join({ key: 'k', source, fallback: () => NEVER, onJoin: 'joins' })(OPEN).subscribe((value) =>
    console.log(`${name} ${value}`),
  );
consumer('one');
consumer('two');
//=> opened
//=> one 1
//=> one 2
//=> two joins
//=> two 1
//=> two 2
//=> one 3
//=> two 3
