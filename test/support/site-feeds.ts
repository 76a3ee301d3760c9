import { createReadStream, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { ServerOptions } from 'node:https';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { Certificates } from './certificates.ts';
import { startFeed, type TestFeed } from './feeds.ts';

/** Starts feeds that are closed after the test. */
export const closedFeeds = (): typeof startFeed => {
  const started: TestFeed[] = [];
  afterEach(() => Promise.all(started.splice(0).map((feed) => feed.close())));
  return async (answer, tls) => {
    const feed = await startFeed(answer, tls);
    started.push(feed);
    return feed;
  };
};

/** Serves the files of a folder. */
export const serveFolder =
  (folder: string): RequestListener =>
  (request, response) => {
    const file = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://feed').pathname));
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found?.isFile()) return response.writeHead(404).end('no such file');
    response.writeHead(200, { 'Content-Length': found.size, 'Last-Modified': found.mtime.toUTCString() });
    return createReadStream(file).pipe(response);
  };

/**
 * Options of a feed that ends the handshake if the client lacks a certificate of the test's
 * authority.
 */
export const demanding = ({ authority, server }: Certificates): ServerOptions => ({
  ...server,
  ca: authority.cert,
  requestCert: true,
  rejectUnauthorized: true,
});

/** The command line options for such a feed; the PEM files are written to a folder. */
export const credentialOptions = (folder: string, { authority, client }: Certificates): string[] =>
  Object.entries({ ca: authority.cert, 'client-cert': client.cert, 'client-key': client.key }).flatMap(
    ([name, pem]) => {
      const file = join(folder, `${name}.pem`);
      writeFileSync(file, pem);
      return [`--${name}`, file];
    },
  );
