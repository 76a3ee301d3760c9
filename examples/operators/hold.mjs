import { hold } from 'pulp-streamer/operators';
import { BehaviorSubject, Subject } from 'rxjs';

// A Subject cannot be paused. Two values wait at most; the oldest makes room.
const prices = new Subject();
const valve = new BehaviorSubject(true);
hold({ limit: 2, overflow: 'oldest' })(prices)(valve).subscribe(console.log);
prices.next(10);
valve.next(false);
for (const price of [11, 12, 13]) prices.next(price);
valve.next(true);
//=> 10
//=> 12
//=> 13
