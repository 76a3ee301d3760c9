import { connect } from 'node:net';

// Clients that read as fast as they can, until they are ended: `node readers.ts URL…`, a connection for each. Sends a
// message to its parent as soon as each has read 16 MiB; exits with 1 if a connection ends.

const ENOUGH = 16 * 1024 ** 2;

/** What is read goes here, and nobody looks at it. */
const memory = Buffer.alloc(1024 ** 2);

const urls = process.argv.slice(2).map((url) => new URL(url));
let behind = urls.length;
for (const { hostname, port, pathname } of urls) {
  let bytes = 0;
  const callback = (count: number): boolean => {
    if (bytes < ENOUGH && bytes + count >= ENOUGH) behind -= 1;
    if (bytes < ENOUGH && behind === 0) process.send?.('all read');
    bytes += count;
    return true;
  };
  const socket = connect({ host: hostname, port: Number(port), onread: { buffer: memory, callback } });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  for (const event of ['error', 'end'] as const) socket.on(event, () => process.exit(1));
}
