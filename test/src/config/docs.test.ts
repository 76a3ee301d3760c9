import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { configurationDocs } from '../../../src/config/docs.ts';
import { SETTINGS } from '../../../src/config/schema.ts';

describe('docs/reference/configuration.md', () => {
  it('is what the schema says (npm run docs writes it)', () => {
    expect(readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8')).toBe(configurationDocs());
  });

  it('has a section for every setting', () => {
    expect(configurationDocs().match(/^### /gm)).toHaveLength(Object.keys(SETTINGS).length);
  });
});
