import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Header } from '../../../pipelines/index.ts';
import { clientHead, partHead, unchangedHead } from '../../../pipelines/stages/client-head.ts';
import { aCandidate, anEntry, entryOf, sha256, sourceHead } from '../../support/pipeline.ts';

const bare = aCandidate('feed', anEntry());
const policy = { cacheTimeout: 60_000 };
const headersOf = (headers: Header[], candidate = bare) =>
  clientHead({ ...sourceHead({ headers, length: 10 }), verified: false }, candidate, policy).headers;
const OURS: readonly Header[] = [
  ['Accept-Ranges', 'bytes'],
  ['Cache-Control', 'public, s-maxage=60, max-age=60'],
];

/** The fields of the first table below a heading of docs/reference/headers.md; one name of each kind. */
const documented = (heading: string): string[] => {
  const page = readFileSync(new URL('../../../docs/reference/headers.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [table = ''] = /(?:^\|.*\n)+/m.exec(section) ?? [];
  const cells = [...table.matchAll(/^\| ([^|]*) \|/gm)].map(([, cell = '']) => cell.replace(/ except .*/, ''));
  const names = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  if (names.length < 10) throw new Error(`no table below ${heading}`);
  return names.map((name) => name.replace('…', name.startsWith('…') ? 'Any' : '-Any').replace('--', '-'));
};

/** A spelling of a name that no test has used before. */
const anew = (name: string): string => {
  spellings += 1;
  return [...name].map((letter, at) => ((spellings >> at) % 2 === 1 ? letter.toUpperCase() : letter)).join('');
};
let spellings = 0;

describe('clientHead', () => {
  it('passes end-to-end fields in order and apart', () => {
    const headers: Header[] = [
      ['Link', 'a'],
      ['Content-Type', 'text/plain'],
      ['Link', 'b'],
      ['Proxy-Status', 'their-cdn'],
      ['Via', '1.1 their-cdn'],
      ['X-Amz-Id', 'é'.normalize('NFC')],
    ];
    expect(headersOf(headers)).toEqual([...headers, ...OURS]);
  });

  it.each(documented('Fields that are not passed on'))('drops %s, however it is spelled', (name) => {
    expect(
      headersOf([
        [name, 'x'],
        [name.toUpperCase(), 'x'],
        ['Kept', 'y'],
      ]),
    ).toEqual([['Kept', 'y'], ...OURS]);
  });

  it.each(documented('Fields that are passed on nevertheless'))('passes %s', (name) =>
    expect(headersOf([[name, 'x']])).toEqual([[name, 'x'], ...OURS]),
  );

  it.each([
    'Proxy-Status',
    'X-Cache',
    'X-Robots-Tag',
    'X-Amz-Meta-Tags',
    'Sector',
    'X-Edge-Location',
    'X-Secure',
    'X-Accelerated',
    'X-Archived',
    'Keys',
    'Date-Created',
  ])('passes %s, which only looks like a dropped field', (name) =>
    expect(headersOf([[name, 'x']])).toEqual([[name, 'x'], ...OURS]),
  );

  it.each([
    ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['X-Accel-Redirect', '/etc/passwd'],
    ['X-Sendfile2', '/etc/passwd 0-'],
    ['X-REPROXY-URL', 'http://10.0.0.1/'],
    ['LSC-Cookie', 'a=b'],
    ['Ykey', 'a b'],
    ['X-Magento-Tags', 'a,b'],
    ['X-LIGHTTPD-KBytes-per-second', '1'],
    ['X-Envoy-Immediate-Health-Check-Fail', '1'],
    ['X-LiteSpeed-Location', '/x'],
    ['Squid-Cache-Control', 'no-store'],
    ['Edge-Cache-Tag', 'x'],
    ['Surrogate-Key', 'x'],
    ['Access-Control-Allow-Private-Network', 'true'],
    ['Content-Security-Policy-Report-Only', 'report-uri http://feed'],
    ['Sec-Session-Registration', '(ES256);path="x"'],
    ['X-Varnish', '1 2'],
  ])('drops %s, whatever its value', (name, value) => expect(headersOf([[name, value]])).toEqual([...OURS]));

  it.each([
    ['</a>; rel=preload; as=script', false],
    ['</a>; rel="next Prefetch"', false],
    ['<https://feed/>; rel=dns-prefetch', false],
    ['</a>; rel="pre\\load"', false],
    ['</a.css>; rel=stylesheet', false],
    ['</a>; rel=next', true],
    ['</preloaded>; rel=describedby', true],
  ] as const)('Link: %s passes only if browsers and proxies do not follow it unasked', (value, passes) =>
    expect(headersOf([['Link', value]])).toEqual([...(passes ? [['Link', value]] : []), ...OURS]),
  );

  it('passes the value of such a link in a field of another name', () =>
    expect(headersOf([['X-Note', '</a>; rel=preload']])).toEqual([['X-Note', '</a>; rel=preload'], ...OURS]));

  it('decides each name once, in any spelling, also if there are more than it remembers', () => {
    for (let kind = 0; kind < 2_000; kind += 1) {
      const kept = anew('Content-Language');
      const dropped = ['Strict-Transport-Security', 'X-Archived-By', 'X-Archive-Source', 'Not Content-Language'].map(
        (name): Header => [anew(name), 'x'],
      );
      for (const _ of ['first', 'again'])
        expect(headersOf([...dropped, [kept, 'x']])).toEqual([dropped[1], [kept, 'x'], ...OURS]);
    }
  });

  it('drops the fields that Connection names', () =>
    expect(
      headersOf([
        ['Connection', 'close, X-Secret'],
        ['x-secret', '1'],
        ['Kept', 'y'],
      ]),
    ).toEqual([['Kept', 'y'], ...OURS]));

  it('drops fields that could smuggle others in', () =>
    expect(
      headersOf([
        ['Bad', 'x\r\nEvil: 1'],
        ['B ad', 'x'],
        ['', 'x'],
        ['Nul', '\0'],
      ]),
    ).toEqual([...OURS]));

  it('keeps a content coding of content without a checksum', () =>
    expect(headersOf([['Content-Encoding', 'gzip']])).toEqual([['Content-Encoding', 'gzip'], ...OURS]));

  it('drops a content coding if the checksum identifies the raw bytes as the file', () =>
    expect(
      headersOf(
        [
          ['Content-Encoding', 'gzip'],
          ['ETag', '"mtime"'],
        ],
        aCandidate('feed', entryOf('x')),
      ),
    ).toEqual([
      ['ETag', `"${sha256('x')}"`],
      ['Repr-Digest', `sha-256=:${Buffer.from(sha256('x'), 'hex').toString('base64')}:`],
      ['Digest', `sha-256=${Buffer.from(sha256('x'), 'hex').toString('base64')}`],
      ...OURS,
    ]));

  it.each([
    ['/a.tar.gz', 'gzip'],
    ['/a.tgz', 'x-gzip'],
    ['/a.GZ', ' GZip'],
    ['/a.tar.Z', 'x-compress'],
    ['/a.bz2', 'x-bzip2'],
    ['/a.xz', 'xz'],
    ['/a.zst', 'zstd'],
  ])('drops a coding that only repeats the file’s compression: %s, declared as %s', (path, coding) =>
    expect(headersOf([['Content-Encoding', coding]], aCandidate('feed', anEntry({ path })))).toEqual([...OURS]),
  );

  it.each([
    ['/a.xz', 'gzip'],
    ['/a.txt', 'gzip'],
    ['/a.gz', 'br'],
    ['/gz', 'gzip'],
  ])('keeps a coding that is not the file’s compression: %s, declared as %s', (path, coding) =>
    expect(headersOf([['Content-Encoding', coding]], aCandidate('feed', anEntry({ path })))).toEqual([
      ['Content-Encoding', coding],
      ...OURS,
    ]),
  );

  it('forbids caching of content that is outdated or of unknown length', () => {
    const of = (length: number | undefined, candidate = bare) =>
      clientHead({ ...sourceHead({ length }), verified: false }, candidate, policy).headers.at(-1);
    expect(of(undefined)).toEqual(['Cache-Control', 'no-store']);
    expect(of(undefined, aCandidate('feed', anEntry({ size: 10 })))).toEqual(OURS.at(-1));
    expect(of(10, { ...bare, outdated: true })).toEqual(['Cache-Control', 'no-store']);
  });

  it('drops the date of content that replaced other content, which may have had the same date', () =>
    expect(
      headersOf(
        [
          ['Last-Modified', 'x'],
          ['Kept', 'y'],
        ],
        aCandidate('feed', anEntry({ replaced: true })),
      ),
    ).toEqual([['Kept', 'y'], ...OURS]));

  it('drops no field that only has a coding as its value', () =>
    expect(headersOf([['X-Kind', 'gzip']], aCandidate('feed', anEntry({ path: '/a.gz' })))).toEqual([
      ['X-Kind', 'gzip'],
      ...OURS,
    ]));

  it('drops no field that another field names', () => {
    const headers: Header[] = [
      ['X-Names', 'kept'],
      ['Kept', 'y'],
    ];
    expect(headersOf([['Connection', 'close'], ...headers])).toEqual([...headers, ...OURS]);
  });

  it('states the shorter lifetime, of the entry or of the settings, in whole seconds', () => {
    // More than are remembered.
    for (let seconds = 1; seconds <= 40; seconds += 1) {
      const candidate = aCandidate('feed', anEntry({ maxAge: seconds * 1000 + 999 }));
      expect(headersOf([], candidate).at(-1)).toEqual([
        'Cache-Control',
        `public, s-maxage=${seconds}, max-age=${seconds}`,
      ]);
    }
    expect(headersOf([], aCandidate('feed', anEntry({ maxAge: 60_001 })))).toEqual([...OURS]);
  });

  it('states digests of the algorithms that have a name in HTTP', () => {
    const digest = (algorithm: 'sha512' | 'sha1') =>
      headersOf([], aCandidate('feed', anEntry({ checksum: { algorithm, value: '00ff' } })));
    expect(digest('sha512')).toEqual([
      ['ETag', '"00ff"'],
      ['Repr-Digest', 'sha-512=:AP8=:'],
      ['Digest', 'sha-512=AP8='],
      ...OURS,
    ]);
    expect(digest('sha1')).toEqual([['ETag', '"00ff"'], ...OURS]);
  });

  it('knows what its source says of parts', () => {
    const says = (headers: Header[]) =>
      clientHead({ ...sourceHead({ headers }), verified: false }, bare, policy).acceptRanges;
    expect(says([['Accept-Ranges', ' Bytes ']])).toBe('bytes');
    expect(says([])).toBe('');
  });

  it.each([
    [{ first: 0, last: 9 }, true],
    [{ first: 0, last: 8 }, false],
    [{ first: 1, last: 9 }, false],
    [{ first: 1, last: 8 }, false],
  ])('is of the whole if its part is: %j', (part, whole) => {
    const head = clientHead({ ...sourceHead({ length: 10 }), verified: false }, bare, policy);
    expect(head.whole).toBe(true);
    const expected = { status: 206, length: part.last - part.first + 1, total: 10, whole, ...part };
    expect(partHead(head, part)).toMatchObject(expected);
    expect(clientHead({ ...sourceHead({ length: 10 }), verified: false }, bare, policy, part)).toMatchObject(expected);
  });
});

describe('the head of an answer to conditions', () => {
  it('repeats the validators that are known, with 304', () => {
    const validators = { etag: '"1"', lastModified: 'x' };
    expect(unchangedHead(304, bare, validators, policy)).toEqual({
      ...{ type: 'head', status: 304, whole: false, first: 0, candidate: bare, verified: false },
      headers: [['ETag', '"1"'], ['Last-Modified', 'x'], OURS[1]],
    });
    expect(unchangedHead(304, bare, {}, policy).headers).toEqual([OURS[1]]);
  });

  it('says nothing of the content with 412, which has an empty body', () =>
    expect(unchangedHead(412, bare, { etag: '"1"' }, policy)).toMatchObject({
      length: 0,
      headers: [['Cache-Control', 'no-store']],
    }));
});
