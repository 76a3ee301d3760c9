import assert from 'node:assert/strict';
import { StreamError } from '../../../pipelines/model/index.ts';
import { decide, valueMayPass } from '../../../pipelines/stages/passing-fields.ts';
import { readAnswer } from '../../../src/sources/feed/answer.ts';
import { createCookies } from '../../../src/sources/feed/cookies.ts';
import { Http1Error } from '../../../src/sources/feed/http1/errors.ts';
import { readHead } from '../../../src/sources/feed/http1/head.ts';
import { redirectUrl } from '../../../src/sources/feed/redirect.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf } from '../invariants/outcome.ts';

const FEED = new URL('http://feed.example/repo/a.rpm');
const now = () => 1_700_000_000_000;

const ASKS = [
  { from: 0 },
  { from: 5 },
  { from: 2, last: 9 },
  { from: 0, unless: { etag: '"a"' } },
  {
    from: 0,
    last: 9,
    parts: [
      { first: 0, last: 1 },
      { first: 8, last: 9 },
    ] as const,
  },
];

/** The meaning of the fields of an answer: what leaves of it is about bytes that exist. */
const checkAnswer = (status: number, headers: ReturnType<typeof readHead>['headers']): void => {
  for (const ask of ASKS) {
    const answer = readAnswer(status, headers, ask as unknown as Parameters<typeof readAnswer>[2], FEED, now);
    if (answer.type === 'refused') assert.ok(answer.error instanceof StreamError);
    if (answer.type === 'redirect')
      outcomeOf(() => checkRedirect(redirectUrl(FEED, status, answer.location)), StreamError);
    if (answer.type !== 'head') continue;
    const { from, last, length } = answer;
    assert.ok(Number.isSafeInteger(from) && from >= 0);
    assert.ok(length === undefined || (Number.isSafeInteger(length) && from <= length), 'begins beyond the end');
    assert.ok(last === undefined || (last >= from && length !== undefined && last < length), 'ends beyond the end');
  }
};

const checkRedirect = (url: URL): void => {
  assert.match(url.protocol, /^https?:$/);
  assert.notEqual(url.hostname, '');
};

export const target: Target = {
  about: 'the fields of a response: ranges, validators, redirects, challenges, cookies, what passes to clients',
  tokens: [
    ...['HTTP/1.1 ', '200', '206', '301', '304', '401', '407', '416', '429', '\r\n', 'Content-Range: bytes 0-9/10'],
    ...['Content-Range: bytes */5', 'ETag: "a"', 'W/"a"', 'Location: ', 'http://', 'https://', '//', 'Retry-After: 5'],
    ...['Content-Type: multipart/byteranges; boundary=', 'Content-Length: ', 'WWW-Authenticate: Basic realm="a"'],
    ...['Set-Cookie: a=b; Path=/; Domain=feed.example; Max-Age=1; Secure', '; ', '=', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ...['Link: <a>; rel=preload', 'X-Accel-Redirect: ', 'Cache-Control: ', 'Vary: '],
  ],
  longest: 16_000,
  check: (input) => {
    const head = outcomeOf(() => readHead(input.toString('latin1')), Http1Error);
    if ('error' in head) return;
    const { status, headers } = head.result;
    checkAnswer(status, headers);
    const cookies = createCookies(now);
    cookies.keep(FEED, headers);
    const cookie = cookies.of(FEED) ?? '';
    assert.ok(cookie.length <= 8192);
    assert.doesNotMatch(cookie, /[\r\n\0]/, 'a cookie that holds another field');
    assert.equal(cookies.of(new URL('http://other.example/repo/')), undefined, 'a cookie for another host');
    for (const [name, value] of headers)
      if (decide(name).mayPass && valueMayPass(decide(name).key, value))
        assert.doesNotMatch(`${name}: ${value}`, /[\r\n\0]/, 'a field that holds another one');
  },
};
