import { closedTimeout, flow } from 'pulp-streamer/operators';
import { BehaviorSubject, NEVER } from 'rxjs';

// A consumer that wants nothing for 20 ms must not hold the source any longer.
const valve = new BehaviorSubject(false);
const held = flow(() => NEVER, closedTimeout({ timeoutMs: 20, error: () => new Error('the consumer is stuck') }));
held(valve).subscribe({ error: ({ message }) => console.log(message) });
//=> the consumer is stuck
