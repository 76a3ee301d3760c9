import { createFlow } from 'pulp-streamer/operators';
import { BehaviorSubject } from 'rxjs';

// Anything that can be paused is a source.
const counter = createFlow((sink) => {
  let count = 0;
  let paused = false;
  const step = () => {
    if (paused || sink.closed) return;
    count += 1;
    sink.next(count);
    setImmediate(step);
  };
  setImmediate(step);
  return {
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      setImmediate(step);
    },
    close: () => console.log('closed'),
  };
});

const valve = new BehaviorSubject(true);
const subscription = counter(valve).subscribe((count) => {
  console.log(count);
  if (count === 2) {
    valve.next(false);
    setTimeout(() => valve.next(true), 10);
  }
  if (count === 3) subscription.unsubscribe();
});
//=> 1
//=> 2
//=> 3
//=> closed
