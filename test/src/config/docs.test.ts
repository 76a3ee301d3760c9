import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { configurationDocs } from '../../../src/config/docs.ts';
import { GROUPS } from '../../../src/config/groups.ts';
import { SETTINGS } from '../../../src/config/schema.ts';

describe('docs/reference/configuration.md', () => {
  it('agrees with the schema (npm run docs writes it)', () => {
    expect(readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8')).toBe(
      configurationDocs(),
    );
  });

  it('has a section for every setting, and a row of the tables on top that leads to it', () => {
    const names = Object.keys(SETTINGS);
    expect(configurationDocs().match(/^### /gm)).toHaveLength(names.length);
    expect(configurationDocs().match(/^\| \[`\w+`\]\(#\w+\) \| .+ \| .+\. \|$/gm)).toHaveLength(names.length);
    expect(Object.values(GROUPS).flat().sort()).toEqual(names.sort());
  });
});
