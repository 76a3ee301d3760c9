// The streamer without its server: as an Observable, then as an async iterable.
import { createStreamer } from 'pulp-streamer';

const [path] = process.argv.slice(2);
const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });

streamer.fetch(path).subscribe({
  next: (event) => console.log(event.type, detailOf(event)),
  error: (error) => console.error(error.code, error.message),
  complete: pull,
});

/** Each event has a `type`, which says what else it has. */
function detailOf(event) {
  switch (event.type) {
    case 'head':
      return event.length;
    case 'chunk':
      return event.bytes.length;
    case 'end':
      return event.report.verified;
    default:
      return '-';
  }
}

async function pull() {
  let bytes = 0;
  for await (const chunk of streamer.bytes(path)) bytes += chunk.length;
  console.log('pulled', bytes);
  await streamer.close();
}
