// The streamer without its server: as an Observable, then as an async iterable.
import { createStreamer } from 'pulp-streamer';

const [path] = process.argv.slice(2);
const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });

streamer.fetch(path).subscribe({
  next: (event) => console.log(event.type, event.length ?? event.bytes?.length ?? event.report?.verified ?? '-'),
  error: (error) => console.error(error.code, error.message),
  complete: pull,
});

async function pull() {
  let bytes = 0;
  for await (const chunk of streamer.bytes(path)) bytes += chunk.length;
  console.log('pulled', bytes);
  await streamer.close();
}
