import { describe, expect, it } from '@jest/globals';
import { OF_CLIENTS } from '../scripts/http-requirements/of-clients.ts';
import { OF_SERVERS } from '../scripts/http-requirements/of-servers.ts';
import { httpRequirementsPage } from '../scripts/http-requirements/page.ts';
import { REFUSALS, THROUGH_A_PROXY } from '../scripts/http-requirements/refusals.ts';
import { faultOf, textOf } from './support/named-test.ts';

const all = [...OF_CLIENTS, ...OF_SERVERS, ...REFUSALS, ...THROUGH_A_PROXY];

describe('a requirement of HTTP', () => {
  it('has a test that exists and runs', () => {
    expect(all.filter(({ tests }) => tests.length === 0)).toEqual([]);
    const faults = all.flatMap(({ tests }) =>
      tests.map((test) => [...test, faultOf(test)]).filter((test) => test.at(-1)),
    );
    expect(faults).toEqual([]);
  });

  it('is found to lack its test, its case or its file', () => {
    const file = 'test/src/sources/feed/conformance.test.ts';
    expect(faultOf([file, 'is read: %s', 'a length'])).toBeUndefined();
    expect(faultOf([file, 'is read: %s', 'a lengthy one'])).toBe('no such case');
    expect(faultOf([file, 'is red: %s'])).toBe('no such test');
    expect(faultOf(['test/nothing.test.ts', 'x'])).toBe('no file of `npm test`');
    expect(faultOf(['test/faults/feed.test.ts', 'x'])).toBe('no file of `npm test`');
    expect(faultOf(['test/src/sources/disk/open.test.ts', 'x'])).toBe('skipped');
  });

  it('is listed once on a page that is made from the table', () => {
    expect(textOf('docs/reference/http-requirements.md')).toBe(httpRequirementsPage());
    for (const table of [OF_CLIENTS, OF_SERVERS]) {
      const keys = table.map(({ at, required }) => [at, required].join());
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});
