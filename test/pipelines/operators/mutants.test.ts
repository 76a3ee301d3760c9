import { describe, expect, it } from '@jest/globals';
import * as all from '../../../pipelines/operators/index.ts';
import { lawfulFlows } from '../../support/lawful-flows.ts';
import { ofMutants } from '../../support/mutants.ts';

describe('a mutant of each operator', () => {
  const found = ofMutants();
  // What `fuse` does is a law of its own: see fuse.test.ts.
  it('exists', () =>
    expect(Object.keys(lawfulFlows(all)).filter((name) => !found.some(([mutant]) => mutant === name))).toEqual([
      'fuse',
    ]));
  it.each(found)('breaks a law: %s', (_, laws) => expect(laws).not.toEqual([]));
});
