import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { OF_CLIENTS } from '../scripts/http-requirements/of-clients.ts';
import { OF_SERVERS } from '../scripts/http-requirements/of-servers.ts';
import { httpRequirementsPage } from '../scripts/http-requirements/page.ts';
import { REFUSALS, THROUGH_A_PROXY } from '../scripts/http-requirements/refusals.ts';
import type { TestOfIt } from '../scripts/http-requirements/requirement.ts';

const ROOT = new URL('..', import.meta.url);
const texts = new Map<string, string>();
const textOf = (file: string): string => {
  const text = texts.get(file) ?? readFileSync(new URL(file, ROOT), 'utf8');
  texts.set(file, text);
  return text;
};

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** What is wrong with a named test: it must exist, with its case, and `npm test` must run it. */
const faultOf = ([file, title, name]: TestOfIt): string | undefined => {
  const ignored = [...textOf('jest.config.js').matchAll(/<rootDir>\/(test\/\w+\/)/g)].map(([, folder]) => folder ?? '');
  if (!existsSync(new URL(file, ROOT)) || ignored.some((folder) => file.startsWith(folder)))
    return 'no file of `npm test`';
  const text = textOf(file);
  if (/\b(?:it|test|describe)\.(?:skip|todo|only|failing)\b|\bx(?:it|describe|test)\(/.test(text)) return 'skipped';
  const titles = new RegExp(
    `(?:\\bit\\(|^\\s*\\]?\\)?\\(|\\)\\(|\\n)\\s*'${literally(title)}',\\s*(?:async\\b|\\(|\\n)`,
    'm',
  );
  if (!titles.test(text)) return 'no such test';
  if (name === undefined) return undefined;
  return new RegExp(`(?:\\[\\s*|^\\s*|\\{\\s*)'${literally(name)}'(?:,|:)`, 'm').test(text)
    ? undefined
    : 'no such case';
};

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
