import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.ts';
import { cliDocs } from '../../../src/cli/reference.ts';

describe('docs/reference/cli.md', () => {
  it('is what the commands say (npm run docs writes it)', async () => {
    const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');
    expect(page).toBe(cliDocs(await createProgram()));
  });
});

describe('cliDocs', () => {
  it('describes commands and their commands, but none that is hidden', () => {
    const program = new Command('pulp-streamer');
    program
      .command('see <what>')
      .description('look at it')
      .option('--port <number>')
      .option('-o, --out <a|b>', 'where to');
    program.command('secret', { hidden: true });
    program.command('things').command('drop').description('let go').option('--config <file...>', 'files');
    const docs = cliDocs(program);
    expect(docs.match(/^## .*$/gm)).toEqual(['## `see`', '## `things drop`']);
    expect(docs).toContain('| [`things drop`](#things-drop) | let go |');
    expect(docs).toContain('Look at it.\n\n```\npulp-streamer see [options] <what>\n```');
    expect(docs).toContain('| `-o, --out <a\\|b>` | where to |');
    expect(docs).toContain('Settings: `--config`, [`--port`](configuration.md#port).');
    expect(docs).toContain('Settings: `--config`.');
    expect(docs).not.toContain('secret');
  });
});
