import { flow, OPEN, switchFlow } from 'pulp-streamer/operators';
import { concat, map, of, timer } from 'rxjs';

// The results of the latest search only: that of `a` is left when `ab` comes.
const searches = () => concat(of('a'), timer(5).pipe(map(() => 'ab')));
const resultsOf = (text) => () => timer(50).pipe(map(() => `results of ${text}`));
flow(searches, switchFlow(resultsOf))(OPEN).subscribe(console.log);
//=> results of ab
