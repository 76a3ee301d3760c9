import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../../pipelines/model/index.ts';
import { errorsDocs } from '../../../src/http/errors-docs.ts';
import { troubleshootingDocs } from '../../../src/http/troubleshooting-docs.ts';

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const codes = Object.keys(ERRORS);

describe('docs/reference/errors.md', () => {
  it('matches the table of errors (npm run docs writes it)', () => {
    expect(page('reference/errors.md')).toBe(errorsDocs());
  });

  it('has a row for every error', () => {
    expect([...errorsDocs().matchAll(/^\| \[`([A-Z_]+)`\]/gm)].map(([, code]) => code)).toEqual(codes);
  });
});

describe('docs/how-to/troubleshoot.md', () => {
  it('matches the advice (npm run docs writes it)', () => {
    expect(page('how-to/troubleshoot.md')).toBe(troubleshootingDocs());
  });

  it('has the cause and the remedy of every error', () => {
    const sections = [
      ...troubleshootingDocs().matchAll(/^### `([A-Z_]+)`\n\nStatus .+\n\n- Look at: .+[.?]\n- Do: .+\.$/gm),
    ];
    expect(sections.map(([, code]) => code)).toEqual(codes);
  });
});
