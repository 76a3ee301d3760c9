import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { textOf } from '../../support/named-test.ts';

const ROOT = join(import.meta.dirname, '../../..');
const OPERATORS = pathToFileURL(join(ROOT, 'pipelines/operators/index.ts')).href;
const EXAMPLES = globSync('examples/operators/*.mjs', { cwd: ROOT }).toSorted();

describe('the example of each operator', () => {
  it('exists, for every operator with a picture', () => {
    const drawn = globSync('test/pipelines/operators/*.diagram.ts', { cwd: ROOT });
    expect(EXAMPLES.map((file) => basename(file, '.mjs'))).toEqual(
      drawn.map((file) => basename(file, '.diagram.ts')).toSorted(),
    );
  });

  it.each(EXAMPLES)('%s prints what it says', async (file) => {
    const code = textOf(file);
    const said = [...code.matchAll(/^\/\/=> (.*)$/gm)].map(([, line]) => line);
    const program = code.replace("'pulp-streamer/operators'", `'${OPERATORS}'`);
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: ROOT,
    });
    expect(said).not.toEqual([]);
    expect(stdout.trimEnd().split('\n')).toEqual(said);
  });
});
