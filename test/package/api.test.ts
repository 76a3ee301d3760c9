import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { processes, succeeded } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';

const start = processes();
const folder = temporaryFolders();

describe('the API reference', () => {
  it('is generated for each door, and everything in it is documented', async () => {
    const out = folder();
    // Each missing doc comment and each broken link is an error.
    await succeeded(start('npm', ['run', 'api', '--', '--out', out]));
    const pages = ['src', 'pipelines', 'pipelines_operators', 'pipelines_operators_testing'].map(
      (door) => `modules/${door}`,
    );
    for (const page of [...pages, 'functions/src.createStreamer', 'interfaces/src.EmbeddedOptions'])
      expect([page, existsSync(join(out, `${page}.html`))]).toEqual([page, true]);
  });
});
