import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import type { StreamEvent } from '../../../pipelines/index.ts';
import { chunk } from '../../support/pipeline.ts';
import { dial, responsesIn } from '../../support/raw-http.ts';
import { headWith, stubServers } from '../../support/stub-server.ts';

const LF = '\n';
const CR = '\r';
const HOST = 'Host: a';
/** The head of a request: its lines, each with its CRLF, and an empty line. */
const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const get = (...fields: readonly string[]): string => head('GET /good HTTP/1.1', HOST, ...fields);
const post = (...fields: readonly string[]): string => head('POST /good HTTP/1.1', HOST, ...fields);
/** Must never be taken for a request. */
const EVIL = head('GET /evil HTTP/1.1', HOST);
const long = (length: number): string => 'a'.repeat(length);

type Case = readonly [name: string, bytes: string, statuses: readonly number[], then?: 'stays open'];

/**
 * Input after which the connection is closed, unless `open` is set. No statuses: it is closed
 * without an answer.
 */
const CASES: readonly Case[] = [
  // Lines end with CRLF (RFC 9112 section 2.2).
  ['a bare LF after the request line', `GET /good HTTP/1.1${LF}${HOST}\r\n\r\n`, [400]],
  ['a bare LF after a field', `GET /good HTTP/1.1\r\n${HOST}${LF}\r\n`, [400]],
  ['a bare LF instead of the empty line', `GET /good HTTP/1.1\r\n${HOST}\r\n${LF}${EVIL}`, [400]],
  ['bare LFs everywhere', `GET /good HTTP/1.1${LF}${HOST}${LF}${LF}`, [400]],
  ['two LFs, then a request', `GET /good HTTP/1.1\r\n${HOST}${LF}${LF}${EVIL}`, [400]],
  ['a bare CR after the request line', `GET /good HTTP/1.1${CR}${HOST}\r\n\r\n`, [400]],
  ['a bare CR after a field', `GET /good HTTP/1.1\r\n${HOST}${CR}X: y\r\n\r\n`, [400]],
  ['a bare CR instead of the empty line', `GET /good HTTP/1.1\r\n${HOST}\r\n${CR}X${EVIL}`, [400]],
  ['a bare CR in a target', get().replace('/good', `/go${CR}od`), [400]],
  ['a bare CR in a value', get(`X: a${CR}b`), [400]],
  ['a bare CR before CRLF', `GET /good HTTP/1.1\r\n${HOST}${CR}\r\n\r\n`, [400]],
  ['CRs without end', `GET /good HTTP/1.1${CR.repeat(50)}\r\n${HOST}\r\n\r\n`, [400]],
  ['an LF in a target', get().replace('/good', `/go${LF}od`), [400]],
  ['LF CR instead of CR LF', `GET /good HTTP/1.1\n\r${HOST}\n\r\n\r`, [400]],
  ['a vertical tab as line end', `GET /good HTTP/1.1\v${HOST}\r\n\r\n`, [400]],
  ['a form feed as line end', `GET /good HTTP/1.1\f${HOST}\r\n\r\n`, [400]],

  // The request line (RFC 9112 section 3).
  ['no request line', head(HOST), [400]],
  ['a word', head('hello'), [400]],
  ['no method', head('/good HTTP/1.1', HOST), [400]],
  ['a space before the method', head(' GET /good HTTP/1.1', HOST), [400]],
  ['a tab before the method', head('\tGET /good HTTP/1.1', HOST), [400]],
  ['a tab before the target', head('GET\t/good HTTP/1.1', HOST), [400]],
  ['a tab before the version', head('GET /good\tHTTP/1.1', HOST), [400]],
  ['a space in the target', head('GET /go od HTTP/1.1', HOST), [400]],
  ['a space after the version', head('GET /good HTTP/1.1 ', HOST), [400]],
  ['words after the version', head('GET /good HTTP/1.1 and more', HOST), [400]],
  ['no target', head('GET HTTP/1.1', HOST), [400]],
  ['an empty target', head('GET  HTTP/1.1', HOST), [400]],
  ['a method in small letters', head('get /good HTTP/1.1', HOST), [400]],
  ['an unknown method', head('FETCH /good HTTP/1.1', HOST), [400]],
  ['a method with a bad character', head('G@T /good HTTP/1.1', HOST), [400]],
  ['a method with a NUL', head('GE\0T /good HTTP/1.1', HOST), [400]],
  ['a method of a thousand letters', head(`${'A'.repeat(1000)} /good HTTP/1.1`, HOST), [400]],
  ['a method in quotes', head('"GET" /good HTTP/1.1', HOST), [400]],
  ['a response', head('HTTP/1.1 200 OK', HOST), [400]],
  ['an RTSP request', head('DESCRIBE rtsp://a/good RTSP/1.0', 'CSeq: 1'), [405]],
  ['an ICAP request', head('SOURCE /good ICE/1.0', HOST), [405]],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
  ['an SSH greeting', 'SSH-2.0-OpenSSH_9.2\r\n', [400]],
  ['the PROXY protocol', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${get()}`, [400]],
  ['the PROXY protocol, version 2', `\r\n\r\n\0\r\nQUIT\n!\x11\0\f${'\x01'.repeat(12)}${get()}`, [400]],
  ['zeros', '\0'.repeat(100), [400]],
  ['bytes above 127', '\xff\xfe\xfd'.repeat(20), [400]],
  ['a byte order mark', `\xef\xbb\xbf${get()}`, [400]],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],

  // Versions (RFC 9112 section 2.3).
  ['HTTP/0.9 without a version', 'GET /good\r\n\r\n', [505]],
  ['HTTP/0.9 by name', head('GET /good HTTP/0.9', HOST), [505]],
  ['HTTP/2.0', head('GET /good HTTP/2.0', HOST), [505]],
  ['HTTP/1.2', head('GET /good HTTP/1.2', HOST), [400]],
  ['HTTP/1.9', head('GET /good HTTP/1.9', HOST), [400]],
  ['HTTP/3.0', head('GET /good HTTP/3.0', HOST), [400]],
  ['HTTP/9.9', head('GET /good HTTP/9.9', HOST), [400]],
  ['HTTP/11', head('GET /good HTTP/11', HOST), [400]],
  ['HTTP/1', head('GET /good HTTP/1', HOST), [400]],
  ['HTTP/1.', head('GET /good HTTP/1.', HOST), [400]],
  ['HTTP/.1', head('GET /good HTTP/.1', HOST), [400]],
  ['HTTP/1.10', head('GET /good HTTP/1.10', HOST), [400]],
  ['HTTP/01.1', head('GET /good HTTP/01.1', HOST), [400]],
  ['HTTP/1,1', head('GET /good HTTP/1,1', HOST), [400]],
  ['HTTP/-1.1', head('GET /good HTTP/-1.1', HOST), [400]],
  ['HTTP/1.x', head('GET /good HTTP/1.x', HOST), [400]],
  ['http/1.1', head('GET /good http/1.1', HOST), [400]],
  ['HTTP 1.1', head('GET /good HTTP 1.1', HOST), [400]],
  ['HTTPS/1.1', head('GET /good HTTPS/1.1', HOST), [400]],
  ['FTP/1.1', head('GET /good FTP/1.1', HOST), [400]],

  // Targets (RFC 9112 section 3.2).
  ['a relative target', head('GET good HTTP/1.1', HOST), [400]],
  ['a dot', head('GET ./good HTTP/1.1', HOST), [400]],
  ['a query alone', head('GET ?good HTTP/1.1', HOST), [400]],
  ['an asterisk', head('GET * HTTP/1.1', HOST), [400], 'stays open'],
  ['an asterisk and more', head('GET *a HTTP/1.1', HOST), [400], 'stays open'],
  ['an authority', head('GET a:80 HTTP/1.1', HOST), [400]],
  ['a fragment', head('GET /good#a HTTP/1.1', HOST), [400], 'stays open'],
  ['another scheme', head('GET ftp://a/good HTTP/1.1', HOST), [400], 'stays open'],
  ['a file URL', head('GET file:///etc/passwd HTTP/1.1', HOST), [400], 'stays open'],
  ['a script', head('GET javascript:alert(1) HTTP/1.1', HOST), [400]],
  ['a scheme without host', head('GET http:///good HTTP/1.1', HOST), [400], 'stays open'],
  ['a scheme alone', head('GET http:// HTTP/1.1', HOST), [400], 'stays open'],
  ['a NUL in the target', head('GET /go\0od HTTP/1.1', HOST), [400]],
  ['a DEL in the target', head('GET /go\x7fod HTTP/1.1', HOST), [400]],
  ['an escape in the target', head('GET /go\x1bod HTTP/1.1', HOST), [400]],
  ['a vertical tab in the target', head('GET /go\vod HTTP/1.1', HOST), [400]],
  ['a backspace in the target', head('GET /go\bod HTTP/1.1', HOST), [400]],
  ['a target that is too long', head(`GET /${long(8192)} HTTP/1.1`, HOST), [414]],
  ['a target beyond all bounds', head(`GET /${long(40_000)} HTTP/1.1`, HOST), [414]],
  ['a target without an end', `GET /${long(40_000)}`, [414]],
  ['a query beyond all bounds', head(`GET /good?${long(40_000)} HTTP/1.1`, HOST), [414]],

  // Host (RFC 9112 section 3.2).
  ['no Host', head('GET /good HTTP/1.1'), [400]],
  ['no Host, with an absolute target', head('GET http://a/good HTTP/1.1'), [400]],
  ['two Hosts', get('Host: b'), [400]],
  ['two Hosts that are the same', get(HOST), [400]],
  ['two Hosts, spelled differently', get('HOST: b'), [400]],
  ['two Hosts, two thousand fields apart', get(...Array(2000).fill('X:'), 'Host: b'), [400]],
  ['two Hosts with HTTP/1.0', head('GET /good HTTP/1.0', HOST, 'Host: b'), [400]],
  ['a Host with a space', head('GET /good HTTP/1.1', 'Host: a b'), [400]],
  ['a Host with a slash', head('GET /good HTTP/1.1', 'Host: a/b'), [400]],
  ['a Host that is a URL', head('GET /good HTTP/1.1', 'Host: http://a'), [400]],
  ['a Host with user', head('GET /good HTTP/1.1', 'Host: user@a'), [400]],
  ['a Host with a list', head('GET /good HTTP/1.1', 'Host: a, b'), [400]],
  ['a Host with a bad port', head('GET /good HTTP/1.1', 'Host: a:port'), [400]],
  ['a Host with two ports', head('GET /good HTTP/1.1', 'Host: a:1:2'), [400]],
  ['a Host with a query', head('GET /good HTTP/1.1', 'Host: a?b'), [400]],
  ['a Host with a fragment', head('GET /good HTTP/1.1', 'Host: a#b'), [400]],
  ['a Host with half an IPv6 address', head('GET /good HTTP/1.1', 'Host: [::1'), [400]],
  ['a Host with bytes above 127', head('GET /good HTTP/1.1', 'Host: \xe4'), [400]],
  ['a Host with a quote', head('GET /good HTTP/1.1', 'Host: "a"'), [400]],
  ['a Host with a backslash', head('GET /good HTTP/1.1', 'Host: a\\b'), [400]],

  // Header fields (RFC 9112 section 5).
  ['a space before the colon', get('X : y'), [400]],
  ['a tab before the colon', get('X\t: y'), [400]],
  ['a space before the colon of Host', head('GET /good HTTP/1.1', 'Host : a'), [400]],
  ['a space before the colon of Content-Length', get('Content-Length : 5') + EVIL, [400]],
  ['a space before the colon of Transfer-Encoding', get('Transfer-Encoding : chunked') + EVIL, [400]],
  ['a space within a name', get('X Y: z'), [400]],
  ['a space before the first field', head('GET /good HTTP/1.1', ` ${HOST}`), [400]],
  ['a folded field', get('X: y', ' z'), [400]],
  ['a field folded with a tab', get('X: y', '\tz'), [400]],
  ['a folded Host', head('GET /good HTTP/1.1', 'Host:', ' a'), [400]],
  ['a folded Content-Length', get('Content-Length:', ' 5') + EVIL, [400]],
  ['a folded Transfer-Encoding', get('Transfer-Encoding:', ' chunked') + EVIL, [400]],
  ['a field that folds to nothing', get('X: y', ' '), [400]],
  ['no colon', get('X'), [400]],
  ['no name', get(': y'), [400]],
  ['a NUL in a name', get('X\0: y'), [400]],
  ['a NUL in a value', get('X: y\0z'), [400]],
  ['a NUL at the end of a value', get('X: y\0'), [400]],
  ['a NUL in Content-Length', get('Content-Length: 5\0') + EVIL, [400]],
  ['a control character in a name', get('X\x01: y'), [400]],
  ['a control character in a value', get('X: y\x01z'), [400]],
  ['a backspace in a value', get('X: y\bz'), [400]],
  ['an escape in a value', get('X: y\x1bz'), [400]],
  ['a DEL in a value', get('X: y\x7fz'), [400]],
  ['bytes above 127 in a name', get('X\xe4: y'), [400]],
  ['a slash in a name', get('X/Y: z'), [400]],
  ['brackets in a name', get('X[]: y'), [400]],
  ['parentheses in a name', get('X(): y'), [400]],
  ['quotes around a name', get('"X": y'), [400]],
  ['an at sign in a name', get('X@Y: z'), [400]],
  ['a name of 20,000 letters', get(`${long(20_000)}: y`), [431]],
  ['a value of 20,000 letters', get(`X: ${long(20_000)}`), [431]],
  ['a value without an end', `GET /good HTTP/1.1\r\nX: ${long(20_000)}`, [431]],
  ['a thousand fields that are too much together', get(...Array(1000).fill(`X: ${long(20)}`)), [431]],
  ['a request line as a field', get('GET /evil HTTP/1.1'), [400]],

  // Content and its framing (RFC 9112 section 6): a GET has none.
  ['content of a GET', `${get('Content-Length: 5')}hello`, [400]],
  ['content of a HEAD', `${head('HEAD /good HTTP/1.1', HOST, 'Content-Length: 5')}hello`, [400]],
  ['content of a GET that is a request', get(`Content-Length: ${EVIL.length}`) + EVIL, [400]],
  ['content of a GET that does not come', get('Content-Length: 5'), [400]],
  ['content of a GET of many megabytes', get('Content-Length: 9000000') + long(200_000), [400]],
  ['content of a GET, and a request behind it', `${get('Content-Length: 5')}hello${EVIL}`, [400]],
  ['content of a GET with HTTP/1.0', `${head('GET /good HTTP/1.0', 'Content-Length: 5')}hello`, [400]],
  ['chunks of a GET', `${get('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`, [400]],
  ['malformed chunks of a GET', `${get('Transfer-Encoding: chunked')}0\r\n\r\n`, [400]],
  ['chunks of a GET that do not come', get('Transfer-Encoding: chunked'), [400]],
  ['chunks of a GET, and a request behind them', `${get('Transfer-Encoding: chunked')}0\r\n\r\n${EVIL}`, [400]],
  ['chunks of a HEAD', `${head('HEAD /good HTTP/1.1', HOST, 'Transfer-Encoding: chunked')}0\r\n\r\n`, [400]],
  ['chunks of a GET with HTTP/1.0', `${head('GET /good HTTP/1.0', 'Transfer-Encoding: chunked')}0\r\n\r\n`, [400]],
  ['chunks of a GET with trailers', `${get('Transfer-Encoding: chunked')}0\r\nX: y\r\n\r\n`, [400]],
  ['chunks with a bad size', `${get('Transfer-Encoding: chunked')}zz\r\nhello\r\n0\r\n\r\n`, [400]],
  ['chunks with a negative size', `${get('Transfer-Encoding: chunked')}-5\r\nhello\r\n0\r\n\r\n`, [400]],
  ['chunks with a size in 0x', `${get('Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n`, [400]],
  ['chunks with a size beyond 64 bits', `${get('Transfer-Encoding: chunked')}${'f'.repeat(17)}\r\nhello`, [400]],
  ['chunks with a space after the size', `${get('Transfer-Encoding: chunked')}5 \r\nhello\r\n0\r\n\r\n`, [400]],
  ['chunks with bare LFs', `${get('Transfer-Encoding: chunked')}5\nhello\n0\n\n`, [400]],
  ['chunks with more than their size', `${get('Transfer-Encoding: chunked')}2\r\nhello\r\n0\r\n\r\n`, [400]],
  ['chunks with endless extensions', `${get('Transfer-Encoding: chunked')}5;${long(40_000)}`, [400]],
  ['Content-Length and Transfer-Encoding', get('Content-Length: 5', 'Transfer-Encoding: chunked') + EVIL, [400]],
  ['Transfer-Encoding and Content-Length', get('Transfer-Encoding: chunked', 'Content-Length: 5') + EVIL, [400]],
  ['Transfer-Encoding and no content', get('Transfer-Encoding: chunked', 'Content-Length: 0') + EVIL, [400]],
  ['both with HTTP/1.0', head('GET /good HTTP/1.0', 'Content-Length: 5', 'Transfer-Encoding: chunked') + EVIL, [400]],
  ['two lengths', get('Content-Length: 5', 'Content-Length: 6') + EVIL, [400]],
  ['two lengths that are the same', get('Content-Length: 5', 'Content-Length: 5') + EVIL, [400]],
  ['two lengths of nothing', get('Content-Length: 0', 'Content-Length: 0') + EVIL, [400]],
  ['a list of lengths', get('Content-Length: 0, 0') + EVIL, [400]],
  ['a negative length', get('Content-Length: -1') + EVIL, [400]],
  ['a length with a plus', get('Content-Length: +5') + EVIL, [400]],
  ['a length with a fraction', get('Content-Length: 5.0') + EVIL, [400]],
  ['a length in hexadecimal', get('Content-Length: 0x5') + EVIL, [400]],
  ['a length in words', get('Content-Length: five') + EVIL, [400]],
  ['a length with a space within', get('Content-Length: 1 0') + EVIL, [400]],
  ['an empty length', get('Content-Length:') + EVIL, [400]],
  ['a length beyond 64 bits', get(`Content-Length: ${'9'.repeat(30)}`) + EVIL, [400]],
  ['a length with a suffix', get('Content-Length: 5k') + EVIL, [400]],
  ['the coding identity', get('Transfer-Encoding: identity') + EVIL, [400]],
  ['an unknown coding', get('Transfer-Encoding: xchunked') + EVIL, [400]],
  ['the coding gzip alone', get('Transfer-Encoding: gzip') + EVIL, [400]],
  ['chunked that is not the last coding', get('Transfer-Encoding: chunked, gzip') + EVIL, [400]],
  ['chunked twice', get('Transfer-Encoding: chunked, chunked') + EVIL, [400]],
  ['two codings in two fields', get('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + EVIL, [400]],
  ['chunked in quotes', get('Transfer-Encoding: "chunked"') + EVIL, [400]],
  ['chunked behind a vertical tab', get('Transfer-Encoding: \vchunked') + EVIL, [400]],
  ['an empty coding', get('Transfer-Encoding:') + EVIL, [400]],
  ['a coding with parameters', get('Transfer-Encoding: chunked;a=b') + EVIL, [400]],
  ['content of a POST', `${post('Content-Length: 5')}hello`, [405]],
  ['content of a POST that is a request', post(`Content-Length: ${EVIL.length}`) + EVIL, [405]],
  ['content of a POST of many megabytes', post('Content-Length: 9000000') + long(200_000), [405]],
  ['chunks of a POST', `${post('Transfer-Encoding: chunked')}0\r\n\r\n${EVIL}`, [405]],

  // Unsupported methods, and protocols to change to (RFC 9110 sections 7.8 and 9.3).
  ['TRACE', head('TRACE /good HTTP/1.1', HOST), [405], 'stays open'],
  ['CONNECT', head('CONNECT a:443 HTTP/1.1', HOST), [405]],
  ['CONNECT, and a request in the tunnel', head('CONNECT a:443 HTTP/1.1', HOST) + EVIL, [405]],
  ['CONNECT with a path', head('CONNECT /good HTTP/1.1', HOST), [405]],
  ['OPTIONS with content', `${head('OPTIONS * HTTP/1.1', HOST, 'Content-Length: 5')}hello`, [400]],
  ['an upgrade with content', `${get('Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5')}hello${EVIL}`, [400]],
  ['an upgrade with two Hosts', get('Connection: Upgrade', 'Upgrade: h2c', 'Host: b') + EVIL, [400]],
  ['garbage behind an upgrade', `${get('Connection: Upgrade', 'Upgrade: h2c')}garbage\r\n\r\n`, [200, 400]],
  ['a request behind an upgrade that is the last', get('Connection: Upgrade, close', 'Upgrade: h2c') + EVIL, [200]],
  ['an unknown expectation', get('Expect: 200-ok'), [417]],
  ['two expectations', get('Expect: 100-continue', 'Expect: 200-ok'), [417]],
  ['content that waits for an interim response', get('Expect: 100-continue', 'Content-Length: 5'), [400]],
  [
    'content of a PUT that waits for an interim response',
    head('PUT /good HTTP/1.1', HOST, 'Expect: 100-continue', 'Content-Length: 5'),
    [405],
  ],

  // Behind a good request, which must not be affected (RFC 9112 section 9.3.2).
  ['garbage behind a good request', `${get()}garbage\r\n\r\n`, [200, 400]],
  ['zeros behind a good request', `${get()}${'\0'.repeat(50)}`, [200, 400]],
  ['a request without Host behind a good one', get() + head('GET /evil HTTP/1.1'), [200, 400]],
  ['content behind a good request', `${get()}${get('Content-Length: 5')}hello${EVIL}`, [200, 400]],
  [
    'both framings behind a good request',
    get() + get('Content-Length: 5', 'Transfer-Encoding: chunked') + EVIL,
    [200, 400],
  ],
  ['garbage behind two good requests', `${get()}${get()}garbage\r\n\r\n${EVIL}`, [200, 200, 400]],
  ['a request behind the last one', get('Connection: close') + EVIL, [200]],
  ['garbage behind the last one', `${get('Connection: close')}garbage\r\n\r\n`, [200]],
  ['a request behind one of HTTP/1.0', head('GET /good HTTP/1.0') + EVIL, [200]],
  ['garbage behind a body of unknown length', `${get().replace('good', 'stream')}garbage\r\n\r\n`, [200, 400]],
  ['an endless head behind a good request', `${get()}GET /good HTTP/1.1\r\nX: ${long(40_000)}`, [200, 431]],
];

/** Unusual but valid input, so that strictness does not refuse it. */
const GOOD: readonly Case[] = [
  ['a request', get(), [200], 'stays open'],
  ['CRLFs before the request line', `\r\n\r\n${get()}`, [200], 'stays open'],
  ['two spaces before the target (RFC 9112 section 3)', head('GET  /good HTTP/1.1', HOST), [200], 'stays open'],
  ['two spaces before the version', head('GET /good  HTTP/1.1', HOST), [200], 'stays open'],
  ['an absolute target', head('GET http://a/good HTTP/1.1', HOST), [200], 'stays open'],
  ['an absolute target of another host', head('GET https://b:1/good?q HTTP/1.1', HOST), [200], 'stays open'],
  ['a Host without a name', head('GET /good HTTP/1.1', 'Host:'), [200], 'stays open'],
  ['a Host with a port', head('GET /good HTTP/1.1', 'Host: a:8751'), [200], 'stays open'],
  ['a Host that is an IPv6 address', head('GET /good HTTP/1.1', 'Host: [::1]:8751'), [200], 'stays open'],
  ['a Host with an underscore', head('GET /good HTTP/1.1', 'Host: a_b'), [200], 'stays open'],
  ['no space after a colon', head('GET /good HTTP/1.1', 'Host:a'), [200], 'stays open'],
  ['white space around a value', head('GET /good HTTP/1.1', 'Host: \t a \t '), [200], 'stays open'],
  ['an empty value', get('X:'), [200], 'stays open'],
  ['bytes above 127 in a value', get('X: \xe4'), [200], 'stays open'],
  ['two hundred fields', get(...Array(200).fill('X: y')), [200], 'stays open'],
  ['two thousand fields', get(...Array(2000).fill('X:')), [200], 'stays open'],
  ['content of no bytes', get('Content-Length: 0'), [200], 'stays open'],
  ['an expectation that needs no answer', get('Expect: 100-continue'), [200]],
  ['an expectation with HTTP/1.0', head('GET /good HTTP/1.0', 'Expect: 200-ok'), [200]],
  ['OPTIONS *', head('OPTIONS * HTTP/1.1', HOST), [204], 'stays open'],
  ['OPTIONS of a path', head('OPTIONS /good HTTP/1.1', HOST), [204], 'stays open'],
  [
    'an upgrade to HTTP/2',
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
    [200],
    'stays open',
  ],
  ['an upgrade to WebSocket', get('Connection: Upgrade', 'Upgrade: websocket'), [200], 'stays open'],
  ['an upgrade without its Connection option', get('Upgrade: h2c') + get(), [200, 200], 'stays open'],
  ['upgrades, one after the other', get('Connection: Upgrade', 'Upgrade: a', 'Upgrade: b'), [200], 'stays open'],
  ['an upgrade with HTTP/1.0', head('GET /good HTTP/1.0', 'Connection: Upgrade', 'Upgrade: h2c'), [200]],
  [
    'an upgrade, and a request behind it',
    get('Connection: Upgrade', 'Upgrade: h2c', 'X: \xe4') + get(),
    [200, 200],
    'stays open',
  ],
  ['pipelined requests', get().repeat(10), Array(10).fill(200), 'stays open'],
  ['HTTP/1.0 without anything', head('GET /good HTTP/1.0'), [200]],
  ['HTTP/1.0 with keep-alive', head('GET /good HTTP/1.0', 'Connection: keep-alive'), [200], 'stays open'],
  ['the longest target', head(`GET /good?${long(8192 - 6)} HTTP/1.1`, HOST), [200], 'stays open'],
];

const start = stubServers(afterAll);
let port: number;
let asked: string[];

beforeAll(async () => {
  const server = await start(({ path, method }) => {
    const body: readonly StreamEvent[] = method === 'HEAD' ? [] : [chunk('a'), chunk('bc')];
    return of<StreamEvent[]>(headWith(path === '/stream' ? undefined : 3), ...body);
  });
  port = server.port;
  asked = server.asked;
});

const AFTER = head('GET /after HTTP/1.1', HOST, 'Connection: close');

/** Sends the pieces. If the connection stays open, a good request follows after their answers. */
const check = async (pieces: readonly string[], statuses: readonly number[], open: boolean): Promise<void> => {
  asked.length = 0;
  const client = dial(port);
  const methods = pieces[0]?.startsWith('HEAD') ? ['HEAD'] : [];
  const responses = (ended: boolean) => responsesIn(client.received(), methods, ended);
  await client.send(...pieces);
  if (open) {
    await client.until((_, ended) => ended || responses(ended).length === statuses.length);
    await client.send(AFTER);
  }
  await client.ended;
  expect(responses(true).map(({ status }) => status)).toEqual(open ? [...statuses, 200] : statuses);
  for (const { status, headers } of responses(true))
    expect(headers.get('cache-control')).toBe(status < 300 ? undefined : 'no-store');
  const good = statuses.filter((status) => status === 200).length;
  expect(asked.filter((path) => path === '/good' || path === '/stream')).toHaveLength(good);
  expect(asked).toHaveLength(open ? good + 1 : good);

  // Other clients are not affected.
  const other = dial(port);
  await other.send(head('GET /other HTTP/1.0'));
  expect(await other.ended).toBe('end');
  expect(responsesIn(other.received(), [], true)).toMatchObject([{ status: 200, body: 'abc' }]);
};

const inThree = (bytes: string): readonly string[] => {
  const third = Math.ceil(bytes.length / 3);
  return [bytes.slice(0, third), bytes.slice(third, 2 * third), bytes.slice(2 * third)];
};

describe('a malformed request', () => {
  it('has more than 150 kinds, each with a unique name', () => {
    expect(CASES.length).toBeGreaterThan(150);
    expect(new Set(CASES.map(([name]) => name)).size).toBe(CASES.length);
  });

  it.each(CASES)('is refused, at once and in pieces: %s', async (...[, bytes, statuses, then]) => {
    await check([bytes], statuses, then !== undefined);
    await check(inThree(bytes), statuses, then !== undefined);
  });
});

describe('an odd request', () => {
  it.each(GOOD)('is served, at once and in pieces: %s', async (...[, bytes, statuses, then]) => {
    await check([bytes], statuses, then !== undefined);
    await check(inThree(bytes), statuses, then !== undefined);
  });
});
