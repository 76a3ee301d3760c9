import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import type { Ask, Conditions, SourceEvent } from '../../../../pipelines/index.ts';
import { openUnless, unlessOf } from '../../../../pipelines/stages/attempts/open-unless.ts';
import {
  aCandidate,
  anEntry,
  aRequest,
  chunk,
  entryOf,
  marbles,
  sourceHead,
  unpaused,
} from '../../../support/pipeline.ts';

const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const DATE = Date.parse(MODIFIED);
const dated = (lastModified: string, more: object = {}) =>
  sourceHead({ headers: [['Last-Modified', lastModified]], ...more });
const VALUES: Record<string, SourceEvent> = {
  h: dated('Fri, 02 Jan 2026 00:00:00 GMT', { length: 2 }),
  /** A 304 with the date, with an earlier one, and without one; the head that proves the date. */
  n: dated(MODIFIED, { status: 304 }),
  e: dated('Wed, 31 Dec 2025 00:00:00 GMT', { status: 304 }),
  u: sourceHead({ status: 304 }),
  p: dated(MODIFIED, { status: 200, length: 2 }),
  P: dated(MODIFIED, { status: 304, length: 2 }),
  a: chunk('a'),
  b: chunk('b'),
};
const candidate = aCandidate('feed', anEntry());

/** Each source is opened when the one before it has ended. */
const check = (
  sources: readonly (readonly [marbles: string, asked: string, open: string])[],
  result: string,
  { method = 'GET' as Ask['method'], leaves = undefined as string | undefined } = {},
) =>
  marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
    const answers = sources.map(([marbles]) => cold(marbles, VALUES));
    const asked: string[] = [];
    const open = (_: unknown, { method, unless }: Ask) => {
      asked.push(unless ? `${method} unless` : method);
      return answers[asked.length - 1] ?? NEVER;
    };
    const ask: Ask = { method, from: 0, unless: { modifiedSince: DATE } };
    const events = openUnless(
      aRequest({ conditions: { ifModifiedSince: DATE } }),
      candidate,
      ask,
      unpaused(open),
    )(NEVER);
    expectObservable(events, leaves).toBe(result, VALUES);
    for (const [index, [, , window]] of sources.entries())
      expectSubscriptions(answers[index]?.subscriptions ?? []).toBe(window);
    flush();
    expect(asked).toEqual(sources.map(([, asked]) => asked));
  });

describe('openUnless', () => {
  it('passes the content if it has changed', () => check([['-h-a-b-|', 'GET unless', '^------!']], '-h-a-b-|'));

  it('passes a 304 with the client’s date when the source has ended, so that its connection is kept', () =>
    check([['-n--|', 'GET unless', '^---!']], '----(n|)'));

  it('asks for the fields if the 304 has no date', () =>
    check(
      [
        ['-u|', 'GET unless', '^-!'],
        ['-p|', 'HEAD', '--^-!'],
      ],
      '----(P|)',
    ));

  it('asks for the content if its date is not the client’s', () => {
    for (const unproven of ['-u|', '-e|'])
      check(
        [
          [unproven, 'GET unless', '^-!'],
          ['-h|', 'HEAD', '--^-!'],
          ['-h-a|', 'GET', '----^---!'],
        ],
        '-----h-a|',
      );
  });

  it('asks once more for the fields of HEAD', () => {
    check(
      [
        ['-e|', 'HEAD unless', '^-!'],
        ['-h|', 'HEAD', '--^-!'],
      ],
      '---h|',
      { method: 'HEAD' },
    );
  });

  it('leaves the source with its consumer', () =>
    check([['-h-a-b', 'GET unless', '^---!']], '-h-a', { leaves: '^---!' }));
});

describe('the state in which no body is wanted', () => {
  const bare = candidate;
  const proven = aCandidate('feed', entryOf('ab'));
  it.each<readonly [why: string, conditions: Conditions, from: typeof candidate, expected: unknown]>([
    ['a tag of the feed', { ifNoneMatch: ['"1"'] }, bare, { etags: ['"1"'] }],
    ['a date', { ifModifiedSince: DATE }, proven, { modifiedSince: DATE }],
    ['a tag, not a date beside it', { ifNoneMatch: ['"1"'], ifModifiedSince: DATE }, bare, { etags: ['"1"'] }],
    ['nothing with a tag of the catalog', { ifNoneMatch: ['"1"'], ifModifiedSince: DATE }, proven, undefined],
    ['nothing without tags', { ifNoneMatch: [] }, bare, undefined],
    ['nothing before a condition that may fail', { ifMatch: ['"1"'], ifModifiedSince: DATE }, bare, undefined],
    ['nothing before a date that may fail', { ifUnmodifiedSince: DATE, ifModifiedSince: DATE }, bare, undefined],
    ['nothing without a condition of this kind', { ifRange: '"1"' }, bare, undefined],
    ['nothing of a file', { ifModifiedSince: DATE }, { ...bare, url: 'file:///a' }, undefined],
    ['nothing of outdated content', { ifModifiedSince: DATE }, { ...bare, outdated: true }, undefined],
    [
      'nothing of content that replaced another, whose date may be the same',
      { ifModifiedSince: DATE },
      { ...bare, entry: anEntry({ replaced: true }) },
      undefined,
    ],
  ])('is %s', (_, conditions, from, expected) => {
    expect(unlessOf(aRequest({ conditions }), from)).toEqual(expected);
  });
});
