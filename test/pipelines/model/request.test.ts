import { describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom } from 'rxjs';
import { streamRequest } from '../../../pipelines/index.ts';

describe('streamRequest', () => {
  const named = { id: 'a', path: '/p' };

  it('requests the whole content, with an open valve, and a save of the unit', async () => {
    const { valve, ...others } = streamRequest(named);
    expect(others).toEqual({ ...named, method: 'GET', save: true });
    expect(await firstValueFrom(valve)).toBe(true);
  });

  it('replaces an absent value by the default', () => {
    expect(streamRequest({ ...named, method: undefined, valve: undefined, save: undefined })).toMatchObject({
      method: 'GET',
      valve: expect.anything(),
      save: true,
    });
  });

  it('keeps all given values', () => {
    const stated = {
      ...named,
      method: 'HEAD',
      valve: EMPTY,
      ranges: [{ first: 1, last: 2 }],
      conditions: { ifNoneMatch: ['*'] },
      exclusive: true,
      slice: true,
      lengthRequired: true,
      save: false,
      traceparent: 't',
      // An unknown field, of a later version.
      deadline: 7,
    } as const;
    expect(streamRequest(stated)).toEqual(stated);
  });
});
