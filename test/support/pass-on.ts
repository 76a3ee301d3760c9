import { connect, type Socket } from 'node:net';

/**
 * Relays a connection to a server on the loopback interface. When one side closes, so does the
 * other.
 */
export const passOnTo =
  (url: string) =>
  (client: Socket): void => {
    const { hostname, port } = new URL(url);
    const upstream = connect(Number(port), hostname);
    client.on('error', () => {}).on('close', () => upstream.destroy());
    upstream.on('error', () => {}).on('close', () => client.destroy());
    client.pipe(upstream).pipe(client);
  };
