import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { auth } from '../../../../src/http/admin/auth.ts';
import { probes } from '../../../../src/http/admin/probes.ts';
import { createAdminServer } from '../../../../src/http/admin/server.ts';
import type { HttpServer } from '../../../../src/http/listeners.ts';

let server: HttpServer | undefined;
afterEach(() => server?.stop(0));

/** How the listener answers a request. `PORT` in a field stands for its port. */
const asking = async () => {
  server = createAdminServer({
    hosts: ['admin.example'],
    endpoints: [...probes({ missing: () => [] }), auth({ clientOf: () => '', check: () => {}, refused: () => {} })],
  });
  const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
  const port = String(address?.port);
  return async (fields: Record<string, string>, path = '/readyz', method = 'GET') => {
    const headers = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, value.replace('PORT', port)]),
    );
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
};

describe('the admin listener', () => {
  it.each([
    ['127.0.0.1:PORT', 200],
    ['127.0.0.1', 200],
    ['10.1.2.3:80', 200],
    ['[::1]:PORT', 200],
    ['[fe80::1]', 200],
    ['localhost:PORT', 200],
    ['LocalHost', 200],
    ['Admin.Example:PORT', 200],
    ['', 200],
    ['attacker.example:PORT', 421],
    ['localhost.attacker.example', 421],
    ['127.0.0.1.attacker.example', 421],
    ['[attacker.example]', 421],
    ['127.1', 421],
  ])('may be asked by address, localhost or a name of the list: %j is %i', async (host, status) => {
    const ask = await asking();
    expect(await ask({ host })).toMatchObject({ status });
    expect(await ask({ host, 'X-Original-URI': '/a' }, '/auth')).toMatchObject({
      status: status === 200 ? 204 : status,
    });
  });

  it.each([
    ['127.0.0.1:PORT', 'http://127.0.0.1:PORT', 200],
    ['localhost:PORT', 'http://localhost:PORT', 200],
    ['127.0.0.1:PORT', 'http://localhost:PORT', 403],
    ['127.0.0.1:PORT', 'http://127.0.0.1:1', 403],
    ['127.0.0.1:PORT', 'https://127.0.0.1:PORT', 403],
    ['127.0.0.1:PORT', 'https://attacker.example', 403],
    ['127.0.0.1:PORT', 'null', 403],
  ])('asked as %s, answers a page of %s with %i', async (host, origin, status) =>
    expect(await (await asking())({ host, origin })).toMatchObject({ status }),
  );

  it.each([
    ['a picture', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403],
    ['a script', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 403],
    ['a frame', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 403],
    ['a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, 200],
    ['its own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 200],
    ['the bar of addresses', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 200],
  ])('answers %s of a browser with %j by %i', async (_, fields, status) => {
    const ask = await asking();
    expect(await ask(fields)).toMatchObject({ status });
    // A proxy passes on what its client's browser says.
    expect(await ask({ ...fields, 'X-Original-URI': '/a' }, '/auth')).toMatchObject({ status: 204 });
  });

  it('answers a proxy that passes on the Origin of its client', async () => {
    const fields = { origin: 'https://shop.example', 'X-Original-URI': '/a' };
    expect(await (await asking())(fields, '/auth')).toMatchObject({ status: 204 });
  });

  it('gives no other page a permission', async () => {
    const ask = await asking();
    for (const origin of ['http://127.0.0.1:PORT', 'https://attacker.example']) {
      const { headers } = await ask({ origin });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
    }
    const preflight = { origin: 'https://attacker.example', 'access-control-request-method': 'GET' };
    expect(await ask(preflight, '/auth', 'OPTIONS')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'only reads: %s is refused',
    async (method) => {
      const ask = await asking();
      for (const path of ['/livez', '/readyz', '/startupz', '/auth', '/reload', '/drain', '/stop', '/'])
        expect(await ask({ 'X-Original-URI': '/a' }, path, method)).toMatchObject({
          status: 405,
          body: `expected GET or HEAD, found ${method}\n`,
        });
    },
  );

  it.each(['/reload', '/drain', '/stop', '/debug', '/json/list', '/livez/', '//livez'])('has no %s', async (path) =>
    expect(await (await asking())({}, path)).toMatchObject({
      status: 404,
      body: 'expected /livez, /startupz, /readyz or /auth\n',
    }),
  );
});
