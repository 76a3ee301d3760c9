import { hysteresis } from 'pulp-streamer/operators';
import { BehaviorSubject } from 'rxjs';

// Closes at 100 waiting bytes, and opens again at 10.
const waiting = new BehaviorSubject(0);
hysteresis(waiting, { high: 100, low: 10 }).subscribe((open) => console.log(open ? 'open' : 'closed'));
for (const bytes of [50, 120, 90, 50, 10, 90]) waiting.next(bytes);
//=> open
//=> closed
//=> open
