import { once } from 'node:events';
import { createServer } from 'node:http';

interface OldStreamer {
  /** The paths requested, and whether Pulp itself requested them. */
  readonly asked: readonly { readonly path: string | undefined; readonly byPulp: boolean }[];
  /** Resolves once its port is free. */
  stop(): Promise<void>;
}

/** Plays Pulp 2's own streamer for the proxy in front of it: the same content for every path. */
export const startOldStreamer = async (port: number, content: Uint8Array): Promise<OldStreamer> => {
  const asked: OldStreamer['asked'][number][] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push({ path: url, byPulp: headers['pulp-stream-request'] === 'true' });
    const head = { 'Content-Length': content.length, 'Cache-Control': 'public, s-maxage=86400, max-age=86400' };
    response.writeHead(200, head).end(content);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
