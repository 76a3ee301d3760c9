import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { codeOf, messageOf } from '../../../src/lib/thrown.ts';

const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const both = [refused('::1'), refused('127.0.0.1')];

const endless = new Error('');
endless.cause = endless;

describe('messageOf', () => {
  it.each<[string, unknown, string]>([
    ['an error', new Error('full'), 'full'],
    ['a text', 'full', 'full'],
    ['nothing', undefined, 'undefined'],
    [
      'errors in one without a message',
      new AggregateError(both),
      'connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
    ],
    [
      'errors in one with a message',
      new AggregateError(both, 'all failed'),
      'all failed: connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
    ],
    ['errors that the message names already', new AggregateError([new Error('full')], 'disk full'), 'disk full'],
    ['the same error twice', new AggregateError([new Error('full'), new Error('full')]), 'full'],
    ['errors in errors', new AggregateError([new AggregateError([new Error('full')])]), 'full'],
    ['a cause of one without a message', new Error('', { cause: new AggregateError(both.slice(1)) }), both[1]!.message],
    ['a cause of one with a message', new Error('disk', { cause: new Error('full') }), 'disk'],
    ['a code without a message', Object.assign(new Error(''), { code: 'ENOSPC' }), 'ENOSPC'],
    ['errors, of which there are none', new AggregateError([]), 'AggregateError'],
    ['an error that is its own cause', endless, 'Error'],
    ['an error of another realm', runInContext("new AggregateError([new Error('full')])", createContext()), 'full'],
  ])('finds the message of %s', (_, thrown, message) => expect(messageOf(thrown)).toBe(message));
});

describe('codeOf', () => {
  it.each<[string, unknown, string]>([
    ['an error', refused('::1'), 'ECONNREFUSED'],
    ['errors in one', new AggregateError(both), 'ECONNREFUSED'],
    ['an error without one', new Error('full'), ''],
    ['a code that is a number', Object.assign(new Error('full'), { code: 11600 }), ''],
    ['nothing', undefined, ''],
  ])('finds that of %s', (_, thrown, code) => expect(codeOf(thrown)).toBe(code));
});

it('no other line makes a message of a thrown value', () => {
  const root = join(import.meta.dirname, '../../..');
  const byItself =
    /instanceof Error \? \w+(\.\w+)*\.message|\(\w+ as Error\)\.message|String\((error|thrown|cause|reason)\)/;
  const files = ['pipelines', 'src'].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name)),
  );
  expect(files.length).toBeGreaterThan(150);
  expect(files.filter((file) => byItself.test(readFileSync(join(root, file), 'utf8')))).toEqual([
    'pipelines/model/message-of.ts',
    // In a package of its own.
    'pipelines/operators/as-error.ts',
  ]);
});
