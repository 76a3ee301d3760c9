import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of } from 'rxjs';
import type { Access } from '../../../../pipelines/model/index.ts';
import { feedCandidates } from '../../../../src/sources/feed/candidates.ts';
import { anEntry } from '../../../support/pipeline.ts';

describe('feedCandidates', () => {
  it('has one access for an importer as long as the catalog gives the same', async () => {
    const accesses: Access[] = [{ ca: 'one' }, { ca: 'two' }];
    const find = feedCandidates({ access: () => of(accesses[0]!) });
    const accessOf = async (importerId: string) => (await firstValueFrom(find(anEntry({ importerId })))).access;
    const first = await accessOf('a');
    expect(first).toEqual({ ca: 'one', owner: { kind: 'importer', id: 'a' } });
    expect(await accessOf('a')).toBe(first);
    // Another importer with the same credentials has limits of its own.
    expect(await accessOf('b')).toEqual({ ca: 'one', owner: { kind: 'importer', id: 'b' } });
    accesses.shift();
    expect(await accessOf('a')).toEqual({ ca: 'two', owner: { kind: 'importer', id: 'a' } });
  });
});
