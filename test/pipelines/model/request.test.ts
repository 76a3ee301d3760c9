import { describe, expect, it } from '@jest/globals';
import { streamRequest } from '../../../pipelines/index.ts';

describe('streamRequest', () => {
  const named = { id: 'a', path: '/p' };

  it('requests the whole content and a save of the unit', () => {
    expect(streamRequest(named)).toEqual({ ...named, method: 'GET', save: true });
  });

  it('replaces an absent value by the default', () => {
    expect(streamRequest({ ...named, method: undefined, save: undefined })).toMatchObject({
      method: 'GET',
      save: true,
    });
  });

  it('keeps all given values', () => {
    const stated = {
      ...named,
      method: 'HEAD',
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
