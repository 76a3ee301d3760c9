import { describe, expect, it } from '@jest/globals';
import { maskUrl } from '../../../src/lib/mask.ts';

describe('maskUrl', () => {
  it.each([
    ['http://user:secret@feed/x failed', 'http://***@feed/x failed'],
    ['http://user:p@ss@feed/a@b failed, https://me@other', 'http://***@feed/a@b failed, https://***@other'],
    ['/streamer/x.rpm?policy=abc;signature=def', '/streamer/x.rpm?***'],
    ['https://cdn/x?token=secret; https://other/y?z=1', 'https://cdn/x?***; https://other/y?***'],
    ['/x.rpm?;policy=abc;signature=def', '/x.rpm?***'],
    ['/x.rpm?a;b;policy=abc;signature=def', '/x.rpm?***'],
    ['/x.rpm;policy=abc;signature=def', '/x.rpm;policy=***;signature=***'],
    ['"/x?policy=abc;Signature=d%3D" is malformed', '"/x?*** is malformed'],
    ['a question? No; none', 'a question? No; none'],
    ['/plain/path-1.0;v=2', '/plain/path-1.0;v=2'],
    ['mail@example.org is no userinfo', 'mail@example.org is no userinfo'],
  ])('%s → %s', (text, masked) => expect(maskUrl(text)).toBe(masked));
});
