import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer, request as requestTls } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { concat, finalize, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { catalogEntry, type SourceEvent, StreamError } from '../../../pipelines/index.ts';
import { composeStreamer } from '../../../src/app/compose.ts';
import { createStreamer } from '../../../src/app/embedded.ts';
import { createDefaults } from '../../../src/app/from-settings.ts';
import { createResponder, type Respond } from '../../../src/app/responder.ts';
import { type Certificates, createCertificates } from '../../support/certificates.ts';
import { askWhole } from '../../support/clients.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { sha256, sourceHead } from '../../support/pipeline.ts';

const folder = temporaryFolders();
const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections?.();
  }
});

const listen = async <S extends Server>(server: S, at: number | string = 0): Promise<S> => {
  servers.push(server);
  server.listen(at);
  await once(server, 'listening');
  return server;
};
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const serve = async (listener: RequestListener) => urlOf(await listen(createServer(listener)));

const TEXT = 'the whole content';

/** A streamer whose only entry is a file on disk. */
const onDisk = () => {
  const file = join(folder(), 'file.txt');
  writeFileSync(file, TEXT);
  const checksum = { algorithm: 'sha256', value: sha256(TEXT) } as const;
  const entry = catalogEntry({ path: '/file.txt', url: pathToFileURL(file).href, checksum });
  return composeStreamer({
    ...createDefaults(),
    catalog: { lookup: (path) => (path === entry.path ? of(entry) : of()) },
    sources: [(found) => of({ entry: found, source: { kind: 'disk', id: '' }, url: found.url })],
  });
};

/** A streamer whose source is this one. */
const from = (events: Observable<SourceEvent>) => {
  const entry = catalogEntry({ path: '/a', url: 'http://feed.test/a' });
  return composeStreamer({
    ...createDefaults({ attempts: 1, verifyWholeBelow: 0 }),
    catalog: { lookup: () => of(entry) },
    sources: [() => of({ entry, source: { kind: 'feed', id: 'feed.test' }, url: entry.url })],
    open: () => () => events,
  });
};

const bytes = (length: number): SourceEvent => ({ type: 'chunk', bytes: Buffer.alloc(length, 'x') });
const broken = concat(
  of(sourceHead({ length: 100 }), bytes(40)),
  throwError(() => new StreamError('CONNECTION_LOST', 'feed', 'the feed left')),
);

/** What a client got of a body, and how it ended. */
const endOf = async (response: IncomingMessage): Promise<string> =>
  buffer(response).then(
    () => 'ended',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

describe('a request of a program’s own server', () => {
  it('is answered as the daemon answers, and resolves to its result', async () => {
    const respond = createResponder(onDisk(), { via: false });
    const results: Promise<unknown>[] = [];
    const url = await serve((req, res) => results.push(respond(req, res)));
    const whole = await askWhole(`${url}/file.txt?query`);
    expect(whole).toMatchObject({ status: 200, headers: { etag: `"${sha256(TEXT)}"`, 'content-type': 'text/plain' } });
    expect(whole.body.toString()).toBe(TEXT);
    expect(whole.headers).not.toHaveProperty('via');
    const part = await askWhole(`${url}/file.txt`, { range: 'bytes=4-8' });
    expect([part.status, part.body.toString()]).toEqual([206, 'whole']);
    expect((await askWhole(`${url}/file.txt`, { 'if-none-match': `"${sha256(TEXT)}"` })).status).toBe(304);
    expect((await askWhole(`${url}/file.txt`, {}, 'HEAD')).headers['content-length']).toBe(String(TEXT.length));
    expect(await askWhole(`${url}/other`)).toMatchObject({ status: 404, headers: { 'cache-control': 'no-store' } });
    expect((await fetch(`${url}/file.txt`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await Promise.all(results)).toMatchObject([
      { status: 200, target: '/file.txt?query', report: { outcome: 'complete', verified: 'sha256' } },
      { status: 206 },
      { status: 304 },
      { status: 200, method: 'HEAD' },
      { status: 404, error: { code: 'NOT_IN_CATALOG' } },
      { status: 405, error: { code: 'METHOD_NOT_ALLOWED' } },
    ]);
  });

  it('asks for another URL if the program says so', async () => {
    const respond = createResponder(onDisk());
    const url = await serve((req, res) => respond(req, res, { url: req.url?.slice('/below'.length) ?? '' }));
    expect((await askWhole(`${url}/below/file.txt?x`)).body.toString()).toBe(TEXT);
    expect((await askWhole(`${url}/below`)).status).toBe(400);
  });

  it('keeps the limits of the options', async () => {
    const waiting = new Subject<SourceEvent>();
    const respond = createResponder(from(concat(of(sourceHead({ length: 1 })), waiting)), { maxTransfers: 1 });
    const url = await serve((req, res) => respond(req, res));
    const first = askWhole(`${url}/a`);
    // The second must come after the first.
    while (!waiting.observed) await new Promise(setImmediate);
    expect((await askWhole(`${url}/a`)).status).toBe(503);
    waiting.next(bytes(1));
    waiting.complete();
    expect((await first).status).toBe(200);
  });

  it('closes what is open when its client leaves, also before it is answered', async () => {
    let open = 0;
    const endless = new Observable<SourceEvent>((out) => {
      open += 1;
      out.next(sourceHead({ length: 1000 }));
      out.next(bytes(10));
    }).pipe(
      finalize(() => {
        open -= 1;
      }),
    );
    const respond = createResponder(from(endless));
    const left = Promise.withResolvers<[number, number | undefined]>();
    const url = await serve(async (req, res) => {
      const early = req.url === '/early' && once(res, 'close');
      if (early) req.socket.destroy();
      await early;
      const { status, report } = await respond(req, res);
      left.resolve([status, report?.bytes]);
    });
    const asked = request(`${url}/a`).end();
    asked.on('error', () => {});
    const [response] = await once(asked, 'response');
    await once(response, 'data');
    asked.destroy();
    expect(await left.promise).toEqual([499, 10]);
    expect(open).toBe(0);

    const again = Promise.withResolvers<[number, number | undefined]>();
    left.resolve = again.resolve;
    await expect(askWhole(`${url}/early`)).rejects.toThrow();
    expect((await again.promise)[0]).toBe(499);
    expect(open).toBe(0);
  });

  it('is never completed after a failure: over TCP, TLS and Unix sockets', async () => {
    const certificates: Certificates = await createCertificates();
    const respond = createResponder(from(broken));
    const results: Promise<{ error?: { code: string } }>[] = [];
    const listener: RequestListener = (req, res) => results.push(respond(req, res));
    const { cert, key } = certificates.server;
    const socketPath = join(folder(), 'socket');
    const plain = await listen(createServer(listener));
    const tls = await listen(createTlsServer({ cert, key }, listener));
    await listen(createServer(listener), socketPath);
    const { port } = tls.address() as AddressInfo;
    const asked = [
      request(`${urlOf(plain)}/a`),
      requestTls({ port, host: '127.0.0.1', path: '/a', ca: certificates.authority.cert, agent: false }),
      request({ socketPath, path: '/a' }),
    ];
    const ends = asked.map(async (one) => {
      one.on('error', () => {});
      const [response] = await once(one.end(), 'response');
      expect(response.statusCode).toBe(200);
      return endOf(response);
    });
    expect(await Promise.all(ends)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    expect((await Promise.all(results)).map(({ error }) => error?.code)).toEqual(Array(3).fill('CONNECTION_LOST'));
  });

  it('of HTTP/1.0 gets no chunks', async () => {
    const respond = createResponder(from(of(sourceHead(), bytes(5))));
    const server = await listen(createServer((req, res) => respond(req, res)));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /a HTTP/1.0\r\nTE: chunked\r\n\r\n');
    const [head, body] = (await buffer(socket)).toString().split('\r\n\r\n');
    expect(head?.toLowerCase()).not.toContain('chunked');
    expect(body).toBe('xxxxx');
  });

  it('is refused over HTTP/2, and if its response has begun', async () => {
    const respond = createResponder(from(NEVER));
    const server = createHttp2Server();
    servers.push(server);
    const refused = new Promise<unknown>((resolve) => {
      server.on('request', (req, res) => {
        (respond as unknown as (...both: unknown[]) => ReturnType<Respond>)(req, res).catch(resolve);
        res.end();
      });
    });
    server.listen(0);
    await once(server, 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    servers.push(client);
    client.request({ ':path': '/a' }).end();
    expect(await refused).toEqual(new TypeError('expected a request over HTTP/1, found HTTP/2.0'));

    const begun = Promise.withResolvers<unknown>();
    const url = await serve((req, res) => {
      res.write('mine');
      respond(req, res).catch(begun.resolve);
      res.end();
    });
    await askWhole(`${url}/a`);
    expect(await begun.promise).toEqual(new TypeError('expected a response that has not begun'));
  });
});

describe('an embedded streamer', () => {
  const settings = { dispatch: 'none' } as const;
  let stateDir: string;
  beforeAll(() => {
    stateDir = folder();
  });

  it('answers requests, and closes at the end of its scope', async () => {
    const state = join(folder(), 'state');
    let catalog: { readonly entries: { find(path: string): unknown } } | undefined;
    {
      await using streamer = await createStreamer({ ...settings, stateDir: state });
      catalog = streamer.catalog;
      const url = await serve((req, res) => streamer.respond(req, res));
      expect((await askWhole(`${url}/unknown`)).status).toBe(404);
      expect(catalog.entries.find('/unknown')).toEqual([]);
    }
    expect(() => catalog.entries.find('/unknown')).toThrow();
  });

  it('opens nothing if an option of responses is not valid', async () => {
    const options = { ...settings, stateDir, signedUrls: 'on', rsaPub: join(stateDir, 'missing.pem') } as const;
    await expect(createStreamer(options)).rejects.toThrow(/rsa_pub/);
  });
});
