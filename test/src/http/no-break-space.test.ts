import { describe, expect, it } from '@jest/globals';
import { timeOfHttpDate } from '../../../pipelines/model/index.ts';
import { clientAddress, type ForwardedHeader } from '../../../src/http/client-address.ts';
import { conditionsOf } from '../../../src/http/conditions.ts';
import { handOverTo } from '../../../src/http/hand-over.ts';
import { rangesOf } from '../../../src/http/range.ts';
import { cameByHttp10 } from '../../../src/http/via.ts';
import { traceContextOf } from '../../../src/lib/trace-context.ts';
import { prefersOpenMetrics } from '../../../src/observe/metrics/prefers-open-metrics.ts';
import { boundaryOf } from '../../../src/sources/feed/answer.ts';
import { challenged } from '../../../src/sources/feed/challenges.ts';
import { createCookies } from '../../../src/sources/feed/cookies.ts';
import { framingOf } from '../../../src/sources/feed/http1/framing.ts';
import { at } from '../../support/collect.ts';

const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const FEED = new URL('http://feed.example/');

const client = (header: ForwardedHeader) => (value: string) =>
  clientAddress({ trusted: ['127.0.0.1'], header })({
    socket: { remoteAddress: '127.0.0.1' },
    headers: { [header.toLowerCase()]: value },
  });
const framing = (name: string) => (value: string) =>
  framingOf('GET', {
    status: 200,
    headers: [
      ['Content-Length', '0'],
      [name, value],
    ],
    isOld: false,
  });
const cookieAfter = (attribute: string) => {
  const cookies = createCookies(() => 0);
  cookies.keep(FEED, [['Set-Cookie', `a=b; ${attribute}`]]);
  return cookies.of(FEED);
};
const handOver = (via: string, mapping: string) =>
  handOverTo(['127.0.0.1'])({
    socket: { remoteAddress: '127.0.0.1' },
    headers: { 'x-sendfile-type': 'X-Accel-Redirect', 'x-accel-mapping': mapping, via },
  })?.(at('/srv/a/x'));

/** Readers of fields, each with a value of which `_` stands for blanks that may be there. */
const READERS: readonly (readonly [string, (value: string) => unknown, string])[] = [
  ['Range', rangesOf, '_bytes=0-1_,_4-_'],
  ['If-None-Match', (value) => conditionsOf({ 'if-none-match': value })?.ifNoneMatch, '_*_'],
  ['If-Range', (value) => conditionsOf({ 'if-range': value })?.ifRange, '_"a"_'],
  ['a date', timeOfHttpDate, '_Sun, 06 Nov 1994 08:49:37 GMT_'],
  ['Via', cameByHttp10, '1.1 a,_1.0_b'],
  ['Via of nginx', (value) => handOver(value, '/srv/a=/_a'), '1.1 a,_1.1_nginx_'],
  ['X-Accel-Mapping', (value) => handOver('1.1 nginx', value), '_/srv/a_=_/b'],
  ['X-Forwarded-For', client('X-Forwarded-For'), '_192.0.2.1_'],
  ['Forwarded', client('Forwarded'), '_for=192.0.2.1_;_by=a_'],
  ['tracestate', (value) => traceContextOf(PARENT, value).tracestate, '_a=b_,_c=d_'],
  ['Accept', prefersOpenMetrics, '_application/openmetrics-text_;_q=1_'],
  ['Connection', (value) => framing('Connection')(value).keepAlive, 'a,_close_'],
  ['Keep-Alive', (value) => framing('Keep-Alive')(value).idle, 'max=1,_timeout=5'],
  ['WWW-Authenticate', (value) => challenged(401, [['WWW-Authenticate', value]]), 'Digest a=b,_NTLM_'],
  ['Content-Type', (value) => boundaryOf([['Content-Type', value]]), '_multipart/byteranges; boundary=a_'],
  ['Set-Cookie', cookieAfter, '_Max-Age_=_0_'],
];

describe('fields of foreign messages', () => {
  it.each(READERS)('know spaces and tabs as blanks, and none but these: %s', (_, read, value) => {
    const meant = JSON.stringify(read(value.replaceAll('_', ' ')));
    expect(JSON.stringify(read(value.replaceAll('_', '\t ')))).toBe(meant);
    expect(JSON.stringify(read(value.replaceAll('_', '\xa0')))).not.toBe(meant);
  });
});
