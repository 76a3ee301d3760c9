import { describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom } from 'rxjs';
import { streamRequest } from '../../../pipelines/index.ts';

describe('streamRequest', () => {
  const named = { id: 'a', path: '/p' };

  it('asks for the whole content, as it comes, and for the unit to be saved', async () => {
    const { valve, ...others } = streamRequest(named);
    expect(others).toEqual({ ...named, method: 'GET', save: true });
    expect(await firstValueFrom(valve)).toBe(true);
  });

  it('takes an absent value for the default', () => {
    expect(streamRequest({ ...named, method: undefined, valve: undefined, save: undefined })).toMatchObject({
      method: 'GET',
      valve: expect.anything(),
      save: true,
    });
  });

  it('keeps whatever is stated', () => {
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
      // A field that nobody has thought of yet.
      deadline: 7,
    } as const;
    expect(streamRequest(stated)).toEqual(stated);
  });
});
