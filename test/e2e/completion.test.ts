import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { bashCompletion, zshCompletion } from '../../src/cli/completion.ts';
import { createProgram } from '../../src/cli/program.ts';
import { processes, succeeded } from '../support/processes.ts';
import { pulpStreamer } from '../support/site.ts';
import { missingTools } from '../support/tools.ts';

const start = processes();
const GENERATED = { bash: bashCompletion, zsh: zshCompletion };
const file = (shell: string): string => new URL(`../../src/cli/completion.${shell}`, import.meta.url).pathname;

describe.each(['bash', 'zsh'] as const)('completion %s', (shell) => {
  it('is what the commands are (npm run docs), and is printed', async () => {
    const text = GENERATED[shell](await createProgram());
    expect(readFileSync(file(shell), 'utf8')).toBe(text);
    expect((await succeeded(pulpStreamer(start, 'completion', shell))).stdout.toString()).toBe(text);
  });

  const given = missingTools([shell]).length === 0 ? it : it.skip;
  given(
    `completes commands, subcommands, options and choices${given === it ? '' : ` (skipped: needs ${shell})`}`,
    async () => {
      const completed = async (...words: string[]) => {
        const run = {
          bash: `source ${file(shell)}; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _pulp_streamer; printf '%s\\n' "\${COMPREPLY[@]}"`,
          zsh: `compdef() { }; source ${file(shell)}; _pulp_streamer_words "\${@[2,-2]}"; for one in \${=_pulp_streamer_next}; do [[ $one == \${@[-1]}* ]] && print -- $one; done; true`,
        };
        const { stdout } = await succeeded(start(shell, ['-c', run[shell], shell, 'pulp-streamer', ...words]));
        return stdout.toString().trim().split('\n');
      };
      expect(await completed('install')).toEqual(['install-service']);
      expect(await completed('catalog', 'imp')).toEqual(['import']);
      expect(await completed('catalog', 'import', '--pref')).toEqual(['--prefix']);
      expect(await completed('install-service', '--user', 'x', '--p')).toEqual(['--pulp2', '--print']);
      expect(await completed('completion', '')).toEqual(['bash', 'zsh', '--help']);
    },
  );
});

describe('completion', () => {
  it('names the shells that it knows', async () => {
    const { status, stderr } = await pulpStreamer(start, 'completion', 'fish').ended;
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('Allowed choices are bash, zsh') });
  });
});
