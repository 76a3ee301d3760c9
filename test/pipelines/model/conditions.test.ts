import { describe, expect, it } from '@jest/globals';
import { type Conditions, holds, judge, type Validators } from '../../../pipelines/model/conditions.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);
const A: Validators = { etag: '"a"', lastModified: DATE };
const WEAK: Validators = { etag: 'W/"a"' };
const NONE: Validators = {};

describe('judge', () => {
  it.each([
    // If-Match compares strongly (RFC 9110 section 13.1.1).
    [{ ifMatch: ['"a"'] }, A, undefined],
    [{ ifMatch: ['"b"', '"a"'] }, A, undefined],
    [{ ifMatch: ['"b"'] }, A, 412],
    [{ ifMatch: [] }, A, 412],
    [{ ifMatch: ['W/"a"'] }, A, 412],
    [{ ifMatch: ['W/"a"'] }, WEAK, 412],
    [{ ifMatch: ['"a"'] }, WEAK, 412],
    [{ ifMatch: ['"a"'] }, NONE, 412],
    [{ ifMatch: ['*'] }, A, undefined],
    [{ ifMatch: ['*'] }, NONE, undefined],
    [{ ifMatch: ['"b"', '*'] }, WEAK, undefined],
    // If-Unmodified-Since counts only without it (section 13.1.4).
    [{ ifUnmodifiedSince: TIME }, A, undefined],
    [{ ifUnmodifiedSince: TIME + 1000 }, A, undefined],
    [{ ifUnmodifiedSince: TIME - 1000 }, A, 412],
    [{ ifUnmodifiedSince: TIME - 1000 }, NONE, undefined],
    [{ ifMatch: ['"a"'], ifUnmodifiedSince: TIME - 1000 }, A, undefined],
    // If-None-Match compares weakly (section 13.1.2).
    [{ ifNoneMatch: ['"a"'] }, A, 304],
    [{ ifNoneMatch: ['W/"a"'] }, A, 304],
    [{ ifNoneMatch: ['"a"'] }, WEAK, 304],
    [{ ifNoneMatch: ['W/"a"'] }, WEAK, 304],
    [{ ifNoneMatch: ['"b"', '"a"'] }, A, 304],
    [{ ifNoneMatch: ['"b"'] }, A, undefined],
    [{ ifNoneMatch: ['""'] }, NONE, undefined],
    [{ ifNoneMatch: ['aW/"a"'] }, { etag: 'a"a"' }, undefined],
    [{ ifNoneMatch: [] }, A, undefined],
    [{ ifNoneMatch: ['*'] }, NONE, 304],
    // If-Modified-Since counts only without it (section 13.1.3), and only for the same date.
    [{ ifModifiedSince: TIME }, A, 304],
    [{ ifModifiedSince: TIME + 1000 }, A, undefined],
    [{ ifModifiedSince: TIME - 1000 }, A, undefined],
    [{ ifModifiedSince: TIME }, NONE, undefined],
    [{ ifNoneMatch: ['"b"'], ifModifiedSince: TIME }, A, undefined],
    // The order of section 13.2.2.
    [{ ifMatch: ['"b"'], ifNoneMatch: ['"a"'] }, A, 412],
    [{ ifMatch: ['"a"'], ifNoneMatch: ['"a"'] }, A, 304],
    [{ ifUnmodifiedSince: TIME - 1000, ifModifiedSince: TIME }, A, 412],
    [{ ifUnmodifiedSince: TIME, ifModifiedSince: TIME }, A, 304],
    [{}, A, undefined],
    [{}, NONE, undefined],
  ] satisfies readonly (readonly [Conditions, Validators, 304 | 412 | undefined])[])(
    'of %j, for content with %j, gives %s',
    (conditions, validators, expected) => expect(judge(conditions, validators)).toBe(expected),
  );
});

describe('holds', () => {
  it.each([
    [undefined, NONE, true],
    ['"a"', A, true],
    ['"b"', A, false],
    ['"a"', NONE, false],
    // Strong comparison, and a date character by character (RFC 9110 section 13.1.5).
    ['W/"a"', WEAK, false],
    ['"a"', WEAK, false],
    [DATE, A, true],
    [DATE, NONE, false],
    ['Sun, 06 Nov 1994 08:49:38 GMT', A, false],
    ['"', { etag: 'x', lastModified: '"' }, false],
    ['x"', { etag: 'x"' }, false],
  ] satisfies readonly (readonly [string | undefined, Validators, boolean])[])(
    'of %j, for content with %j, is %s',
    (ifRange, validators, expected) => expect(holds(ifRange, validators)).toBe(expected),
  );
});
