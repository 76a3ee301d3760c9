import { describe, expect, it } from '@jest/globals';
import { throwError } from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
import { targetOf } from '../../../src/http/target.ts';
import { dial } from '../../support/raw-http.ts';
import { stubServers } from '../../support/stub-server.ts';

const start = stubServers();
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('a target with bytes beyond ASCII', () => {
  it.each([
    ['/a%20b?c', '/a%20b?c'],
    [latin1('/é/😀;ü?ö=%C3%A4'), '/é/😀;ü?ö=%C3%A4'],
    // Not UTF-8: Latin-1, a surrogate, a byte that is missing.
    ['/\xe9.rpm', '/%E9.rpm'],
    [`${latin1('/é')}\xe9`, '/%C3%A9%E9'],
    ['/\xed\xa0\x80', '/%ED%A0%80'],
    ['/\xc3', '/%C3'],
  ])('%j means %s', (received, target) => {
    expect(targetOf(received)).toBe(target);
  });

  describe('on the wire', () => {
    const missing = () => throwError(() => new StreamError('NOT_IN_CATALOG', 'catalog', 'not there'));
    const request = (target: string, ...fields: readonly string[]) =>
      latin1([`GET ${target} HTTP/1.1`, 'Host: h', ...fields, '', ''].join('\r\n'));
    const all = [
      request('/%C3%A9'),
      `\r\n${request('/é', 'X-Name: é')}`,
      request('http://h/grüße;ä?q=ö'),
      request('/end', 'Connection: close'),
    ].join('');

    it.each([
      ['at once', [all]],
      ['in pieces', [...all]],
    ])('stands for itself, and other ones for themselves: %s', async (_, pieces) => {
      const { port, asked, log } = await start(missing);
      const client = dial(port);
      await client.send(...pieces);
      await client.ended;
      expect(asked).toEqual(['/%C3%A9', '/é', '/grüße;ä', '/end']);
      expect(log[2]).toMatchObject({ status: 404, target: 'http://h/grüße;ä?q=ö' });
    });

    it('stands for itself around a request for another protocol', async () => {
      const { port, asked } = await start(missing);
      const client = dial(port);
      const upgrade = ['Connection: upgrade', 'Upgrade: h2c'] as const;
      await client.send([request('/é', ...upgrade), request('/ü'), request('/ä', 'Connection: close')].join(''));
      await client.ended;
      expect(asked).toEqual(['/é', '/ü', '/ä']);
    });

    it.each(['/é#C3', '/#C3#A9', '/é#', '/a#23'])('makes no other target of %s', async (target) => {
      const { port, asked, log } = await start(missing);
      const client = dial(port);
      await client.send(request(target, 'Connection: close'));
      await client.ended;
      expect([asked, log[0]?.error?.code, log[0]?.target]).toEqual([[], 'BAD_TARGET', target]);
    });

    it.each([
      [6000, 431],
      [9000, 414],
    ])('is too long for what its length says: %i bytes', async (length, status) => {
      const { port } = await start(missing);
      const client = dial(port);
      await client.send(`GET /${'\xe9'.repeat(length)} HTTP/1.1\r\nHost: h\r\n\r\n`);
      await client.ended;
      expect(client.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    });

    it('is refused where nothing but the method is before it', async () => {
      const { port, asked } = await start(missing);
      const client = dial(port);
      await client.send(latin1('GÉT / HTTP/1.1\r\nHost: h\r\n\r\n'));
      await client.ended;
      expect([client.received().split('\r\n')[0], asked]).toEqual(['HTTP/1.1 400 Bad Request', []]);
    });
  });
});
