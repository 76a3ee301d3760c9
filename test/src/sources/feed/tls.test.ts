import { createPrivateKey } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { anAsk, at, collect, failureOf } from '../../../support/collect.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, startRaw, type TestFeed } from '../../../support/feeds.ts';

const encrypted = (key: string, type: 'pkcs8' | 'sec1'): string =>
  createPrivateKey(key).export({ type, format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' }).toString();

describe('a feed over TLS', () => {
  const feed = createFeed(feedSettings({ connectTimeout: 1000 }));
  const started: TestFeed[] = [];
  let made: Certificates;
  beforeAll(async () => {
    made = await createCertificates();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.close()));
  });
  afterAll(() => feed.close());

  /** Answers with the name on the client's certificate. */
  const start = async (tls: ServerOptions): Promise<TestFeed> => {
    const server = await startFeed((request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody');
    }, tls);
    started.push(server);
    return server;
  };
  const open = (url: string, access?: Access) => feed.open(at(url, { access }), anAsk());
  const trusting = (): Access => ({ ca: made.authority.cert });
  const presenting = ({ cert, key } = made.client): Access => ({ ...trusting(), clientCert: cert, clientKey: key });
  const demanding = (more: ServerOptions = {}): ServerOptions => ({
    ...made.server,
    ca: made.authority.cert,
    requestCert: true,
    ...more,
  });

  it('is verified with the given authority, by name and by address', async () => {
    const server = await start(made.server);
    await expect(collect(open(server.url, trusting()))).resolves.toMatchObject({ body: Buffer.from('nobody') });
    const byName = server.url.replace('127.0.0.1', 'localhost');
    await expect(collect(open(byName, trusting()))).resolves.toMatchObject({ body: Buffer.from('nobody') });
  });

  it.each<[string, () => ServerOptions, () => Access, string]>([
    [
      'another authority',
      () => made.server,
      () => ({ ca: made.stranger.cert }),
      'an authority that is not trusted here',
    ],
    ['no own authority', () => made.server, () => ({}), 'an authority that is not trusted here'],
    ['expired', () => made.expired, trusting, 'has expired'],
    ['another host name', () => made.elsewhere, trusting, 'is for another host name'],
  ])('is refused if its certificate is wrong: %s', async (_, identity, access, text) => {
    const server = await start(identity());
    const error = await failureOf(open(`${server.url}/x?secret`, access()));
    expect(error).toMatchObject({ code: 'TLS_FAILED', source: 'feed' });
    expect(error.message).toMatch(/^\S+\/x\?…: the server’s certificate[ ,]/);
    expect(error.message).toContain(text);
    expect(server.requests).toHaveLength(0);
  });

  it('is refused if its certificate is self-signed', async () => {
    const server = await start(made.selfSigned);
    const error = await failureOf(open(server.url));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('is self-signed');
  });

  it('is accepted unverified if validation is off', async () => {
    for (const identity of [made.server, made.expired, made.elsewhere, made.selfSigned]) {
      const server = await start(identity);
      await expect(collect(open(server.url, { verifyServer: false }))).resolves.toMatchObject({
        body: Buffer.from('nobody'),
      });
    }
  });

  it('gets the client certificate', async () => {
    const server = await start(demanding());
    await expect(collect(open(server.url, presenting()))).resolves.toMatchObject({ body: Buffer.from('first client') });
  });

  it('gets the new client certificate as soon as it has changed', async () => {
    const server = await start(demanding());
    await collect(open(server.url, presenting()));
    await expect(collect(open(server.url, presenting(made.otherClient)))).resolves.toMatchObject({
      body: Buffer.from('second client'),
    });
    await expect(collect(open(server.url, presenting()))).resolves.toMatchObject({ body: Buffer.from('first client') });
    expect(server.connections.made).toBe(2);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('reports that it demands a client certificate: %s', async (version) => {
    const server = await start(demanding({ minVersion: version, maxVersion: version }));
    for (let round = 0; round < 10; round += 1) {
      const error = await failureOf(open(server.url, trusting()));
      expect(error.code).toBe('TLS_FAILED');
      expect(error.message).toMatch(/client certificate/);
    }
  });

  it('refuses an unknown client certificate', async () => {
    const server = await start(demanding());
    const error = await failureOf(open(server.url, presenting(made.strangersClient)));
    expect(['TLS_FAILED', 'CONNECTION_LOST']).toContain(error.code);
    expect(server.requests).toHaveLength(0);
  });

  it('reports a server that does not speak TLS', async () => {
    const server = await startFeed((_, response) => response.end());
    started.push(server);
    const error = await failureOf(open(server.url.replace('http:', 'https:')));
    expect(error).toMatchObject({ code: 'TLS_FAILED' });
    expect(error.message).toContain('does not speak TLS on this port');
  });

  it('fails if the handshake takes too long, and closes the connection', async () => {
    const server = await startRaw((socket) => socket.resume());
    started.push(server);
    const error = await failureOf(open(server.url.replace('http:', 'https:')));
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' });
    await server.quiet();
  });

  it('prefers the source’s own connect timeout to the general one', async () => {
    const patient = createFeed(feedSettings({ connectTimeout: 1_000_000 }));
    const server = await startRaw((socket) => socket.resume());
    started.push(server);
    const events = patient.open(
      at(server.url.replace('http:', 'https:'), { access: { connectTimeout: 100 } }),
      anAsk(),
    );
    await expect(failureOf(events)).resolves.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    await patient.close();
  });

  it.each<[string, () => Access, string]>([
    ['a CA that is not PEM', () => ({ ca: 'nonsense' }), 'the CA text holds no PEM certificate'],
    [
      'a truncated CA',
      () => ({ ca: made.authority.cert.replace(/\n.{64}\n/, '\n') }),
      'the CA text holds a certificate that cannot be read',
    ],
    [
      'a certificate without key',
      () => ({ clientCert: made.client.cert }),
      'the client certificate has no private key',
    ],
    ['a certificate that is not PEM', () => ({ clientCert: 'x', clientKey: made.client.key }), 'cannot be used'],
    [
      'another certificate’s key',
      () => ({ clientCert: made.client.cert, clientKey: made.server.key }),
      'cannot be used: the key belongs to another certificate',
    ],
    ...(['pkcs8', 'sec1'] as const).map((type): [string, () => Access, string] => [
      `a key with a passphrase (${type})`,
      () => ({ clientCert: made.client.cert, clientKey: encrypted(made.client.key, type) }),
      'cannot be used: the key has a passphrase; expected one without',
    ]),
  ])('reports a configuration error: %s', async (_, access, text) => {
    const error = await failureOf(open('https://127.0.0.1:1/x', access()));
    expect(error).toMatchObject({ code: 'SOURCE_BROKEN', source: 'feed' });
    expect(error.message).toContain(text);
    expect(error.message).not.toContain('BEGIN');
  });

  it('presents no certificate if only the key is configured', async () => {
    const server = await start({ ...demanding(), rejectUnauthorized: false });
    const access = { ...trusting(), clientKey: made.client.key };
    await expect(collect(open(server.url, access))).resolves.toMatchObject({ body: Buffer.from('nobody') });
  });
});
