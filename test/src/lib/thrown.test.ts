import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { codeOf } from '../../../src/lib/thrown.ts';

const refused = (address: string) =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const both = [refused('::1'), refused('127.0.0.1')];

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
