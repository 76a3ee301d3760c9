import { flow, OPEN, rateLimit } from 'pulp-streamer/operators';
import { of } from 'rxjs';

// 100 letters a second, of all flows together; what comes faster is split, and its source is paused.
const limit = rateLimit({
  perSecond: 100,
  size: ({ length }) => length,
  split: (text, size) => [text.slice(0, size), text.slice(size)],
});
let text = '';
flow(
  () => of('abcdefghij', 'klmnopqrst', 'uvwxyz'),
  limit,
)(OPEN).subscribe({
  next: (part) => {
    text += part;
  },
  complete: () => console.log(text),
});
//=> abcdefghijklmnopqrstuvwxyz
