import { firstTimeout, flow, OPEN } from 'pulp-streamer/operators';
import { NEVER } from 'rxjs';

const late = flow(() => NEVER, firstTimeout({ timeoutMs: 20, error: () => new Error('no answer') }));
late(OPEN).subscribe({ error: ({ message }) => console.log(message) });
//=> no answer
