import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CatalogEntry } from '../../pipelines/index.ts';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { closedPort, startFeed, startRaw, startScript, type TestFeed } from '../support/feeds.ts';
import { sha256 } from '../support/pipeline.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { startWireSite, valuesOf, type WireSite } from '../support/wire.ts';

const folder = temporaryFolders();
/** Short times: less than one second instead of 27 in the field. */
const QUICK = {
  dispatch: 'none',
  attemptsPerCandidate: 1,
  headTimeout: 0.3,
  readTimeout: 0.5,
  cooldown: 0,
  sizeLimit: 1000,
} as const;
let site: WireSite;
let legacy: WireSite;
let certificates: Certificates;
const feeds: TestFeed[] = [];
beforeAll(async () => {
  certificates = await createCertificates();
  site = await startWireSite(folder(), QUICK);
  legacy = await startWireSite(folder(), { ...QUICK, legacyErrors: true });
});
afterAll(async () => {
  await site.daemon.stop();
  await legacy.daemon.stop();
  await Promise.all(feeds.map((feed) => feed.close()));
});

const started = async (making: Promise<TestFeed>): Promise<string> => {
  const feed = await making;
  feeds.push(feed);
  return `${feed.url}/secret/x`;
};
const says = (bytes: string) => () => started(startScript(bytes, (socket) => socket.end()));
const answers = (status: number, ...fields: readonly string[]) =>
  says([`HTTP/1.1 ${status} Whatever`, ...fields, 'Content-Length: 0', '', ''].join('\r\n'));
const silent = () => started(startRaw(() => {}));
const tls = async (which: 'server' | 'expired') =>
  (await started(startFeed((_, response) => response.end('hi'), certificates[which]))).replace('http:', 'https:');

interface Cause {
  readonly url: () => Promise<string>;
  readonly entry?: Partial<CatalogEntry>;
  /** The status that the client receives. */
  readonly status: number;
  readonly proxyStatus: string;
  readonly retryAfter?: string;
}

const CAUSES: Readonly<Record<string, Cause>> = {
  'a name that means nothing': {
    url: async () => 'http://nobody.invalid/secret/x',
    status: 502,
    proxyStatus: 'error=dns_error;details="DNS_FAILED"',
  },
  'no listener': {
    url: async () => `http://127.0.0.1:${await closedPort()}/secret/x`,
    status: 502,
    proxyStatus: 'error=connection_refused;details="CONNECT_FAILED"',
  },
  'a certificate of an unknown authority': {
    url: () => tls('server'),
    status: 502,
    proxyStatus: 'error=tls_certificate_error;details="TLS_FAILED"',
  },
  'an expired certificate': {
    url: () => tls('expired'),
    status: 502,
    proxyStatus: 'error=tls_certificate_error;details="TLS_FAILED"',
  },
  'a client certificate is demanded': {
    url: async () => {
      const { server, authority } = certificates;
      const demanding = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
      return started(startFeed((_, response) => response.end('hi'), demanding));
    },
    status: 502,
    proxyStatus: 'error=tls_certificate_error;details="TLS_FAILED"',
  },
  'no head in time': { url: silent, status: 504, proxyStatus: 'error=http_response_timeout;details="HEAD_TIMEOUT"' },
  'a small file that stalls': {
    url: () => started(startScript('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh')),
    entry: { checksum: { algorithm: 'sha256', value: sha256('hi') } },
    status: 504,
    proxyStatus: 'error=connection_read_timeout;details="STALLED"',
  },
  401: {
    url: answers(401),
    status: 502,
    proxyStatus: 'error=proxy_configuration_error;received-status=401;details="SOURCE_REFUSED"',
  },
  403: {
    url: answers(403),
    status: 502,
    proxyStatus: 'error=proxy_configuration_error;received-status=403;details="SOURCE_REFUSED"',
  },
  404: { url: answers(404), status: 404, proxyStatus: 'received-status=404;details="SOURCE_MISSING"' },
  410: { url: answers(410), status: 404, proxyStatus: 'received-status=410;details="SOURCE_MISSING"' },
  429: {
    url: answers(429, 'Retry-After: 120'),
    status: 503,
    proxyStatus: 'error=destination_unavailable;received-status=429;details="SOURCE_BUSY"',
    retryAfter: '120',
  },
  500: {
    url: answers(500),
    status: 502,
    proxyStatus: 'error=destination_unavailable;received-status=500;details="SOURCE_FAILED"',
  },
  501: {
    url: answers(501),
    status: 502,
    proxyStatus: 'error=destination_unavailable;received-status=501;details="SOURCE_STATUS"',
  },
  503: {
    url: answers(503),
    status: 503,
    proxyStatus: 'error=destination_unavailable;received-status=503;details="SOURCE_BUSY"',
    retryAfter: '5',
  },
  'a redirect to nowhere': {
    url: answers(302),
    status: 502,
    proxyStatus: 'error=http_protocol_error;received-status=302;details="TOO_MANY_REDIRECTS"',
  },
  'no HTTP': {
    url: says('SSH-2.0-OpenSSH_9\r\n'),
    status: 502,
    proxyStatus: 'error=http_protocol_error;details="PROTOCOL_ERROR"',
  },
  'an end within the head': {
    url: says('HTTP/1.1 200 OK\r\nX'),
    status: 502,
    proxyStatus: 'error=connection_terminated;details="CONNECTION_LOST"',
  },
  'a small file that ends early': {
    url: says('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nhi'),
    entry: { checksum: { algorithm: 'sha256', value: sha256('hi!') } },
    status: 502,
    proxyStatus: 'error=http_response_incomplete;details="SHORT_BODY"',
  },
  'a length that is not the catalog’s': {
    url: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    entry: { size: 3 },
    status: 502,
    proxyStatus: 'error=http_protocol_error;details="WRONG_LENGTH"',
  },
  'a small file that is another': {
    url: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    entry: { checksum: { algorithm: 'sha256', value: sha256('ho') } },
    status: 502,
    proxyStatus: 'error=http_protocol_error;details="WRONG_CHECKSUM"',
  },
  'too large a file': {
    url: says('HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nhi'),
    status: 502,
    proxyStatus: 'error=http_response_body_size;details="TOO_LARGE"',
  },
  'a URL of another kind': {
    url: async () => 'ftp://secret.example/x',
    status: 502,
    proxyStatus: 'error=proxy_configuration_error;details="SOURCE_BROKEN"',
  },
  'no file on disk': {
    url: async () => `file://${folder()}/secret`,
    status: 404,
    proxyStatus: 'details="SOURCE_MISSING"',
  },
};

describe('a failed source', () => {
  it.each(Object.entries(CAUSES))('is reported by its cause only: %s', async (cause, expected) => {
    const { url, entry, status, proxyStatus, retryAfter } = expected;
    const path = `/failed/${encodeURIComponent(cause)}`;
    site.list(path, [await url()], entry);

    const wire = await site.ask(path);
    expect(wire.status).toBe(status);
    expect(valuesOf(wire, 'proxy-status')).toEqual([`pulp-streamer;${proxyStatus}`]);
    expect(valuesOf(wire, 'cache-control')).toEqual(['no-store']);
    expect(valuesOf(wire, 'retry-after')).toEqual(retryAfter === undefined ? [] : [retryAfter]);
    expect(wire.head.join('\n') + wire.body).not.toMatch(/secret|127\.0\.0\.1|invalid|file:/);
    // The client may be faster than the log.
    const [id] = valuesOf(wire, 'x-request-id');
    const line = () => site.log.find((one) => one.id === id && one.msg === 'request');
    await until(() => line() !== undefined);
    expect(line()).toMatchObject({ status, code: /details="(.*)"/.exec(proxyStatus)?.[1] });
  });

  it.each(['no listener', '403', 'no head in time', '503', '404'])(
    'is a 404 with legacy_errors, as in Pulp 2, and not cacheable either: %s',
    async (cause) => {
      const { url, entry, proxyStatus } = CAUSES[cause] as Cause;
      const path = `/failed/${encodeURIComponent(cause)}`;
      legacy.list(path, [await url()], entry);
      const wire = await legacy.ask(path);
      expect(wire.status).toBe(404);
      expect(valuesOf(wire, 'proxy-status')).toEqual([`pulp-streamer;${proxyStatus}`]);
      expect(valuesOf(wire, 'cache-control')).toEqual(['no-store']);
      expect(valuesOf(wire, 'retry-after')).toEqual([]);
    },
  );

  it('is reported by its cause if it accepts no connection in time', async () => {
    const hasty = await startWireSite(folder(), { ...QUICK, connectTimeout: 0.1, headTimeout: 10, readTimeout: 10 });
    hasty.list('/x', [(await silent()).replace('http:', 'https:')]);
    const wire = await hasty.ask('/x');
    expect(wire.status).toBe(504);
    expect(valuesOf(wire, 'proxy-status')).toEqual([
      'pulp-streamer;error=connection_timeout;details="CONNECT_TIMEOUT"',
    ]);
    await hasty.daemon.stop();
  });

  it('has the same header fields for HEAD, and no body', async () => {
    site.list('/failed/head', [await answers(403)()]);
    const [get, head] = [await site.ask('/failed/head'), await site.ask('/failed/head', { method: 'HEAD' })];
    const lasting = (line: string) => !/^(Date|X-Request-Id):/.test(line);
    expect(head.head.filter(lasting)).toEqual(get.head.filter(lasting));
    expect(head.body).toBe('');
    expect(get.body).toBe('502 the source refuses access (401, 403, 407, no permission)\n');
  });
});

describe('of several failed sources', () => {
  it.each([
    ['404', '410', 404],
    ['404', 'no head in time', 504],
    ['no head in time', '404', 504],
    ['403', '404', 502],
    ['404', 'no listener', 502],
    ['no file on disk', '404', 404],
  ] as const)('%s and %s make %d', async (first, second, status) => {
    const causes = [CAUSES[first] as Cause, CAUSES[second] as Cause];
    const path = `/several/${encodeURIComponent(`${first} ${second}`)}`;
    site.list(path, await Promise.all(causes.map(({ url }) => url())));
    expect((await site.ask(path)).status).toBe(status);
  });
});

describe('an error without a source', () => {
  it('is a 404 if the catalog has no entry', async () => {
    const wire = await site.ask('/unknown');
    expect(wire.status).toBe(404);
    expect(valuesOf(wire, 'proxy-status')).toEqual([
      'pulp-streamer;error=destination_not_found;details="NOT_IN_CATALOG"',
    ]);
    expect(valuesOf(wire, 'cache-control')).toEqual(['no-store']);
  });
});
