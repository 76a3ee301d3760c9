import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { holds, judge, resolveRange, trimBlanks } from '../../../pipelines/model/index.ts';
import { askedAs } from '../../../src/http/asked-as.ts';
import { clientAddress } from '../../../src/http/client-address.ts';
import { conditionsOf } from '../../../src/http/conditions.ts';
import { handOverTo } from '../../../src/http/hand-over.ts';
import { rangesOf } from '../../../src/http/range.ts';
import { cameByHttp10 } from '../../../src/http/via.ts';
import { traceContextOf } from '../../../src/lib/trace-context.ts';
import { prefersOpenMetrics } from '../../../src/observe/metrics/prefers-open-metrics.ts';
import type { Target } from '../engine/target.ts';

const HEADERS = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP'] as const;
const CLIENTS = HEADERS.map((header) => clientAddress({ trusted: ['127.0.0.1', '10.0.0.0/8', '::1'], header }));
const LENGTHS = [0, 1, 10, 2 ** 40];

const checkRanges = (header: string | undefined): void => {
  const ranges = rangesOf(header);
  assert.ok(ranges.length <= 256);
  for (const range of ranges)
    for (const length of LENGTHS) {
      const part = resolveRange(range, length);
      if (!part) continue;
      assert.ok(Number.isSafeInteger(part.first) && Number.isSafeInteger(part.last), 'a part without numbers');
      assert.ok(0 <= part.first && part.first <= part.last && part.last < length, 'a part outside of the file');
    }
};

const askedFor = askedAs({ publicUrl: '', trusted: ['127.0.0.1'] });
const handOver = handOverTo(['127.0.0.1']);

/** What other fields lead to stays within them. */
const checkOthers = (headers: Readonly<Record<string, string>>): void => {
  const asking = { socket: { remoteAddress: '127.0.0.1' }, headers };
  cameByHttp10(headers.via ?? '');
  prefersOpenMetrics(headers.accept ?? '');
  const url = askedFor(asking, { ofTarget: '/a', ofCatalog: '/a' });
  if (url !== undefined) assert.match(url, /^https?:\/\/[\w.~:[\]-]+\/a$/, 'a host that is more than one');
  const { tracestate = '' } = traceContextOf(headers.traceparent, headers.tracestate);
  assert.match(tracestate, /^[\x20-\x7e]{0,9000}$/);
  const [, pointer = ''] = handOver(asking)?.({ url: '/a/x y' }) ?? [];
  assert.match(pointer, /^[\x21-\x7e]*$/, 'a pointer that holds another field');
};

/** `Name: value` a line; as Node hands them on, repeated fields joined. */
const fieldsOf = (text: string): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon).toLowerCase(), trimBlanks(line, colon + 1)];
    if (colon > 0) fields[name] = Object.hasOwn(fields, name) ? `${fields[name]}, ${value}` : value;
  }
  return fields;
};

export const target: Target = {
  about: 'fields of a request: ranges, conditions, Forwarded, X-Forwarded-For, X-Real-IP, Via, Accept, hosts, traces',
  tokens: [
    ...[
      'Range: bytes=',
      '0-',
      '-1',
      '0-0,2-3',
      ',',
      '\r\n',
      'If-None-Match: ',
      'If-Match: *',
      '"a"',
      'W/"a"',
      'If-Range: ',
    ],
    ...[
      'If-Modified-Since: ',
      'If-Unmodified-Since: ',
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
    ],
    ...[
      'Sun Nov  6 08:49:37 1994',
      'Forwarded: for=',
      'for="[2001:db8::1]:47"',
      'X-Forwarded-For: ',
      '10.0.0.1',
      '::1',
    ],
    ...['X-Real-IP: ', '::ffff:10.0.0.1', '_hidden', 'unknown', '\\"', ';', '%eth0', 'Host: ', 'X-Forwarded-Host: a:1'],
    ...[
      'Via: 1.1 a',
      '1.0 b',
      '(',
      ')',
      'nginx',
      'X-Sendfile-Type: X-Accel-Redirect',
      'X-Accel-Mapping: /a/=/b/',
      '\xa0',
    ],
    ...[
      'Accept: application/openmetrics-text',
      ';q=0.5',
      'traceparent: 00-',
      'a'.repeat(32),
      '-',
      'b'.repeat(16),
      '-01',
    ],
    ...['tracestate: ', 'a=b', 'a@b=c'],
  ],
  longest: 16_000,
  check: (input) => {
    const headers = fieldsOf(input.toString('latin1'));
    checkRanges(headers.range);
    const conditions = conditionsOf(headers);
    const validators = { etag: '"a"', lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT' };
    if (conditions) assert.ok([304, 412, undefined].includes(judge(conditions, validators)));
    assert.equal(typeof holds(conditions?.ifRange, validators), 'boolean');
    checkOthers(headers);
    for (const clientOf of CLIENTS) {
      const client = clientOf({ socket: { remoteAddress: '127.0.0.1' }, headers });
      assert.ok(isIP(client) > 0, 'a client without an address');
      assert.equal(
        clientOf({ socket: { remoteAddress: '192.0.2.9' }, headers }),
        '192.0.2.9',
        'a peer that is not trusted names a client',
      );
    }
  },
};
