import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../pipelines/model/index.ts';
import { errorsDocs } from '../../../src/http/errors-docs.ts';

describe('docs/reference/errors.md', () => {
  it('is what the table of errors says (npm run docs writes it)', () => {
    expect(readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8')).toBe(errorsDocs());
  });

  it('has a row for every error', () => {
    expect(errorsDocs().match(/^\| `[A-Z_]+` \|/gm)).toHaveLength(Object.keys(ERRORS).length);
  });
});
