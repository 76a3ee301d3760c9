import { hedge, OPEN } from 'pulp-streamer/operators';
import { NEVER, of } from 'rxjs';

// The first mirror does not answer within 10 ms, so the second is asked, too.
const answer = hedge({
  first: () => NEVER,
  second: () => of('answer of the second'),
  after: 10,
  wins: () => true,
  aside: (error) => `failed: ${error.message}`,
});
answer(OPEN).subscribe(console.log);
//=> answer of the second
