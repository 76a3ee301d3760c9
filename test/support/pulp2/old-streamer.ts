import { once } from 'node:events';
import { createServer } from 'node:http';

interface OldStreamer {
  /** Paths that it was asked for, and whether Pulp itself asked. */
  readonly asked: readonly { readonly path: string | undefined; readonly byPulp: boolean }[];
  /** Resolves once its port is free. */
  stop(): Promise<void>;
}

/** Stands for Pulp 2's own streamer, as far as the proxy in front notices: it has the same for every path. */
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
