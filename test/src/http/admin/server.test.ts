import { afterEach, describe, expect, it } from '@jest/globals';
import { StreamError } from '../../../../pipelines/index.ts';
import { auth } from '../../../../src/http/admin/auth.ts';
import { metrics } from '../../../../src/http/admin/metrics.ts';
import { probes } from '../../../../src/http/admin/probes.ts';
import { createAdminServer } from '../../../../src/http/admin/server.ts';
import type { HttpServer } from '../../../../src/http/listeners.ts';

let server: HttpServer | undefined;
afterEach(() => server?.stop(0));

describe('the admin listener', () => {
  it('reports whether the process is alive, and whether it can serve now', async () => {
    let missing = ['the catalog is unavailable'];
    let started = false;
    server = createAdminServer({
      endpoints: probes({ missing: () => missing, started: () => started, degraded: () => ['outbox: full'] }),
    });
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${address?.port}${path}`);
      return [response.status, response.headers.get('cache-control'), await response.text()];
    };
    expect(await ask('/livez')).toEqual([200, 'no-store', 'alive\n']);
    expect(await ask('/readyz')).toEqual([503, 'no-store', 'the catalog is unavailable\noutbox: full\n']);
    expect(await ask('/startupz')).toEqual([503, 'no-store', 'starting\nthe catalog is unavailable\n']);
    missing = [];
    started = true;
    expect(await ask('/readyz')).toEqual([200, 'no-store', 'ready\noutbox: full\n']);
    expect(await ask('/readyz?verbose')).toEqual([200, 'no-store', 'ready\noutbox: full\n']);
    missing = ['draining'];
    expect(await ask('/readyz')).toEqual([503, 'no-store', 'draining\noutbox: full\n']);
    expect(await ask('/startupz')).toEqual([200, 'no-store', 'started\n']);
    expect(await ask('/other')).toEqual([404, 'no-store', 'expected /livez, /startupz or /readyz\n']);
    expect(await ask('/auth')).toEqual([404, 'no-store', 'expected /livez, /startupz or /readyz\n']);
  });

  it('answers a scrape in the format that was asked for, and says if it fails', async () => {
    const scrape = async (accept: string) => {
      if (accept === 'broken') throw new Error('a defect');
      return { type: `text/${accept}`, text: 'a 1\n' };
    };
    server = createAdminServer({ endpoints: [metrics(scrape)] });
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    const ask = async (accept: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${address?.port}/metrics`, { method, headers: { accept } });
      return [response.status, response.headers.get('content-type'), await response.text()];
    };
    expect(await ask('some')).toEqual([200, 'text/some', 'a 1\n']);
    expect(await ask('some', 'HEAD')).toEqual([200, 'text/some', '']);
    const problem = 'metrics cannot be read: a defect\n';
    expect(await ask('broken')).toEqual([500, 'text/plain; charset=utf-8', problem]);
  });

  it('answers a proxy whether its client may read a URL; only the log has the reason', async () => {
    const refusals: object[] = [];
    const endpoint = auth({
      clientOf: ({ headers }) => String(headers['x-real-ip']),
      check: (target, client) => {
        if (target === '/defect') throw new TypeError('oops');
        if (target !== `/for-${client}`) throw new StreamError('URL_REFUSED', 'client', 'a secret reason');
      },
      refused: (refused) => refusals.push(refused),
    });
    server = createAdminServer({ endpoints: [endpoint] });
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`http://127.0.0.1:${address?.port}/auth`, {
        headers: { 'x-real-ip': '192.0.2.7', ...headers },
      });
      return [response.status, response.headers.get('cache-control'), await response.text()];
    };
    expect(await ask({ 'x-original-uri': '/for-192.0.2.7' })).toEqual([204, 'no-store', '']);
    const refusal = [403, 'no-store', 'the URL is not signed for this request\n'];
    expect(await ask({ 'x-original-uri': '/for-192.0.2.8' })).toEqual(refusal);
    const [status, , text] = await ask({});
    expect([status, text]).toEqual([400, expect.stringContaining('expected the header X-Original-URI')]);
    expect(await ask({ 'x-original-uri': '/defect' })).toEqual([500, 'no-store', 'a defect of the streamer\n']);
    const client = '192.0.2.7';
    expect(refusals).toMatchObject([
      { target: '/for-192.0.2.8', client, error: { code: 'URL_REFUSED', message: 'a secret reason' } },
      { target: '/defect', client, error: { code: 'INTERNAL' } },
    ]);
  });
});
