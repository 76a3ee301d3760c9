import { describe, expect, it } from '@jest/globals';
import * as door from '../../pipelines/index.ts';
import { textOf } from '../support/named-test.ts';

/** The names of values that a file imports. */
const importedBy = (file: string): readonly string[] =>
  [...textOf(file).matchAll(/^import \{([^}]*)\}/gm)].flatMap(([, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  );

describe('the door to the pipelines', () => {
  it('has everything that the river is made of, so that others can rebuild it', () => {
    const needed = importedBy('pipelines/lazy-fetch.ts');
    expect(needed.length).toBeGreaterThan(20);
    expect(needed.filter((name) => !(name in door))).toEqual([]);
  });

  it('has everything of the operators’ door', async () => {
    const operators = await import('../../pipelines/operators/index.ts');
    expect(Object.keys(operators).filter((name) => !(name in door))).toEqual([]);
  });
});
