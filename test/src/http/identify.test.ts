import { describe, expect, it } from '@jest/globals';
import {
  type Candidate,
  ERRORS,
  type ErrorCode,
  type Head,
  type Header,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { identify } from '../../../src/http/identify.ts';
import { aCandidate, anEntry, headOf } from '../../support/pipeline.ts';

const ALL = { via: true, cacheStatus: true, proxyStatus: true, requestId: true };
const feed = aCandidate('feed:secret.host:8080', anEntry());
const alternate = aCandidate('alternate:secret', anEntry());
const saved = aCandidate('saved', anEntry(), { url: 'file:///saved/x' });

/** The pairs of names and values in turn. */
const pairs = (fields: readonly string[]): readonly Header[] =>
  fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? ''] as const] : []));

const ofHead = (
  found: readonly Candidate[],
  candidate: Candidate,
  headers: readonly Header[] = [],
  more: Partial<Head> = {},
) => {
  const identity = identify('id-1', ALL);
  identity.observe({ type: 'found', candidates: found });
  identity.observe({ type: 'attempt', candidate, from: 0 });
  return pairs(identity.ofHead(headOf(candidate, { headers, ...more })));
};
const valuesOf = (name: string, headers: readonly Header[]) =>
  headers.filter((header) => header[0] === name).map(([, value]) => value);
const ofError = (code: ErrorCode, sourceStatus?: number) =>
  valuesOf(
    'Proxy-Status',
    identify('id-1', ALL).ofError(new StreamError(code, 'feed', 'https://user:secret@host/x', { sourceStatus })),
  );

describe('Via', () =>
  it('follows those of the feed', () => {
    const headers = ofHead([feed], feed, [
      ['Via', '1.0 origin'],
      ['X', '1'],
      ['via', '1.1 cdn'],
    ]);
    expect(headers.slice(0, 4)).toEqual([
      ['Via', '1.0 origin'],
      ['X', '1'],
      ['via', '1.1 cdn'],
      ['Via', '1.1 pulp-streamer'],
    ]);
  }));

describe('Cache-Status', () => {
  it.each([
    ['a saved copy', [saved, feed], saved, 'pulp-streamer;hit'],
    ['the feed', [feed], feed, 'pulp-streamer;fwd=uri-miss;detail="feed"'],
    ['an alternate source', [alternate, feed], alternate, 'pulp-streamer;fwd=uri-miss;detail="alternate"'],
    ['the feed, because the copy was not usable', [saved, feed], feed, 'pulp-streamer;fwd=miss;detail="feed"'],
  ] as const)('names %s', (_, found, candidate, value) =>
    expect(valuesOf('Cache-Status', ofHead(found, candidate))).toEqual([value]),
  );

  it('has the status of the feed, and whether a copy is kept', () =>
    expect(
      valuesOf('Cache-Status', ofHead([feed], feed, [], { status: 206, sourceStatus: 200, keepsCopy: true })),
    ).toEqual(['pulp-streamer;fwd=uri-miss;fwd-status=200;stored;detail="feed"']));

  it('follows those of the feed’s caches', () =>
    expect(valuesOf('Cache-Status', ofHead([feed], feed, [['Cache-Status', 'cdn;hit']]))).toEqual([
      'cdn;hit',
      'pulp-streamer;fwd=uri-miss;detail="feed"',
    ]));

  it('is absent if no source was asked, and for an error', () => {
    const identity = identify('id-1', ALL);
    expect(valuesOf('Cache-Status', pairs(identity.ofHead(headOf(feed))))).toEqual([]);
    expect(valuesOf('Cache-Status', identity.ofError(new StreamError('SOURCE_MISSING', 'feed', '')))).toEqual([]);
  });

  it('quotes an embedder’s name of a source', () => {
    const odd = aCandidate('a"b\\c\r\né:1', anEntry());
    expect(valuesOf('Cache-Status', ofHead([odd], odd))).toEqual(['pulp-streamer;fwd=uri-miss;detail="a\\"b\\\\c???"']);
  });
});

describe('Proxy-Status', () => {
  it('has the cause and the status of the source', () => {
    expect(ofError('DNS_FAILED')).toEqual(['pulp-streamer;error=dns_error;details="DNS_FAILED"']);
    expect(ofError('SOURCE_STATUS', 500)).toEqual([
      'pulp-streamer;error=destination_unavailable;received-status=500;details="SOURCE_STATUS"',
    ]);
    expect(ofError('SOURCE_MISSING', 410)).toEqual(['pulp-streamer;received-status=410;details="SOURCE_MISSING"']);
  });

  it.each(Object.keys(ERRORS) as ErrorCode[])('is short, and has no secret: %s', (code) => {
    const [value = ''] = ofError(code, 599);
    expect(value).toMatch(/^pulp-streamer(;error=[a-z_]+)?;received-status=599;details="[A-Z_]+"$/);
    expect(value.length).toBeLessThan(200);
  });
});

describe('X-Request-Id', () =>
  it('takes the place of the feed’s', () =>
    expect(ofHead([feed], feed, [['x-request-id', 'theirs']]).filter(([name]) => /^x-request-id$/i.test(name))).toEqual(
      [['X-Request-Id', 'id-1']],
    )));
