import { describe, expect, it } from '@jest/globals';
import { maskUrl } from '../../../src/observe/mask.ts';

describe('maskUrl', () => {
  it.each([
    ['http://user:secret@feed/x failed', 'http://***@feed/x failed'],
    ['/streamer/x.rpm?policy=abc;signature=def', '/streamer/x.rpm?***'],
    ['https://cdn/x?token=secret; https://other/y?z=1', 'https://cdn/x?***; https://other/y?***'],
    ['/plain/path-1.0;v=2', '/plain/path-1.0;v=2'],
    ['mail@example.org is no userinfo', 'mail@example.org is no userinfo'],
  ])('%s → %s', (text, masked) => expect(maskUrl(text)).toBe(masked));
});
