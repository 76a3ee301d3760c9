import { describe, expect, it } from '@jest/globals';
import { ERRORS, type ErrorCode, statusOf } from '../../../pipelines/model/index.ts';

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
