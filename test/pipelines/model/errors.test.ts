import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  ERRORS,
  type ErrorCode,
  remedyOf,
  StreamError,
  statusOf,
  toStreamError,
} from '../../../pipelines/model/index.ts';

/** The statuses for caches and package managers, by cause. */
const STATUSES: readonly (readonly [cause: string, status: number, codes: readonly ErrorCode[]])[] = [
  ['not in the catalog', 404, ['NOT_IN_CATALOG']],
  ['no source has the file', 404, ['SOURCE_MISSING']],
  ['a source refuses access', 502, ['SOURCE_REFUSED', 'TLS_FAILED', 'SOURCE_BROKEN']],
  ['no source can be reached', 502, ['DNS_FAILED', 'CONNECT_FAILED', 'NO_CANDIDATE', 'OUT_OF_SOURCES']],
  ['a source is too slow', 504, ['CONNECT_TIMEOUT', 'HEAD_TIMEOUT', 'STALLED', 'TOO_SLOW']],
  ['the catalog is down', 503, ['CATALOG_UNAVAILABLE']],
  ['too many transfers', 503, ['SOURCE_BUSY', 'SOURCE_FULL']],
  [
    'a source sends wrong or incomplete content',
    502,
    ['SOURCE_STATUS', 'PROTOCOL_ERROR', 'CONNECTION_LOST', 'WRONG_LENGTH', 'SHORT_BODY', 'WRONG_CHECKSUM', 'TOO_LARGE'],
  ],
];

/** The rows of docs/reference/errors.md: the cells of each, without the marks of links and code. */
const published = (): readonly (readonly string[])[] => {
  const page = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| \[`\w+`\].*$/gm)].map(([row]) => row.split('|').slice(1, -1));
  return rows.map((cells) => cells.map((cell) => cell.trim().replace(/^\[`(\w+)`\].*|`(\w+)`$/, '$1$2')));
};

/** What the page says of a remedy. */
const TRIED = {
  same: 'other sources, then the same (during the body: the same at once)',
  later: 'other sources, then the same',
  other: 'other sources',
  never: '',
};

describe('an error', () => {
  it('has the status, the type of RFC 9209, the meaning and the remedy that its page says', () => {
    const rows = Object.entries(ERRORS).map(([code, { status, proxyError = '', meaning, remedy }]) =>
      [code, status, statusOf(code as ErrorCode, true), proxyError, meaning, TRIED[remedy]].map(String),
    );
    expect(rows).toEqual(published());
  });

  it('has all that was said of it, and the remedy of its code', () => {
    const cause = new Error('reset');
    const details = { cause, sourceStatus: 503, retryAfter: 7, length: 8, told: 'busy', state: '"1" 8 ' };
    const error = new StreamError('SOURCE_BUSY', 'feed', 'feed is busy', details);
    expect(error).toMatchObject({ name: 'StreamError', code: 'SOURCE_BUSY', source: 'feed', ...details });
    expect(error.message).toBe('feed is busy');
    expect(remedyOf(error)).toBe('later');
    expect(Object.hasOwn(new StreamError('INTERNAL', 'self', 'x'), 'cause')).toBe(false);
  });

  it('of another kind is a defect, with its reason and cause', () => {
    const own = new StreamError('STALLED', 'feed', 'stopped');
    expect(toStreamError(own)).toBe(own);
    const cause = new TypeError('x is undefined');
    const error = toStreamError(cause);
    expect(error).toEqual(new StreamError('INTERNAL', 'self', 'x is undefined', { cause }));
    expect(error.cause).toBe(cause);
  });
});

describe('the status of an error', () => {
  it.each(STATUSES)('%s: %d', (_, status, codes) => {
    expect(codes.map((code) => statusOf(code))).toEqual(codes.map(() => status));
  });

  it.each(STATUSES)('follows Pulp 2 if `legacy` is set: %s', (cause, status, codes) => {
    const legacy = cause === 'the catalog is down' ? status : 404;
    expect(codes.map((code) => statusOf(code, true))).toEqual(codes.map(() => legacy));
  });

  it('ignores `legacy` for errors of the client and of the streamer', () => {
    for (const code of ['BAD_TARGET', 'METHOD_NOT_ALLOWED', 'INTERNAL', 'CLIENT_STUCK'] as const)
      expect(statusOf(code, true)).toBe(ERRORS[code].status);
  });
});
