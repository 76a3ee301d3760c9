import { describe, expect, it } from '@jest/globals';
import type { Access } from '../../../../pipelines/model/index.ts';
import { secureContextOf } from '../../../../src/sources/feed/secure-context.ts';

describe('the TLS identity and trust of a source', () => {
  it('are read once for an access, however many hosts it is used for', () => {
    const access: Access = {};
    expect(secureContextOf(access)).toBe(secureContextOf(access));
    expect(secureContextOf(access)).not.toBe(secureContextOf({}));
  });

  it('are read for each security level', () => {
    const access: Access = {};
    expect(secureContextOf(access, 1)).toBe(secureContextOf(access, 1));
    expect(secureContextOf(access, 1)).not.toBe(secureContextOf(access));
  });

  it('that cannot be used are refused each time', () => {
    const access: Access = { ca: 'nothing' };
    for (const _ of 'twice') expect(() => secureContextOf(access)).toThrow('the CA text holds no PEM certificate');
  });
});
