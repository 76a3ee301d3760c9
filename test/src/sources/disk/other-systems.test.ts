import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const FILE = fileURLToPath(new URL('../../../../src/sources/disk/file.ts', import.meta.url));

/** Opens files below a root as on another system. Prints the size of each, or the code of its error. */
const SCRIPT = `Object.defineProperty(process, 'platform', { value: 'darwin' });
  const { openDiskFile } = await import(process.argv[1]);
  const [root, ...paths] = process.argv.slice(2);
  for (const path of paths)
    await openDiskFile({ url: root + '/' + path, root }).then(
      ({ stats, close }) => { console.log(String(stats.size)); close(); },
      ({ code }) => console.log(code),
    );`;

it('are found, and kept in their folder, on systems without O_PATH, too', () => {
  const [root, other] = [newFolder(), newFolder()];
  writeFileSync(join(root, 'file'), 'abc');
  writeFileSync(join(other, 'secret'), 'abcd');
  symlinkSync('file', join(root, 'inside'));
  symlinkSync(join(other, 'secret'), join(root, 'outside'));
  spawnSync('mkfifo', [join(root, 'pipe')]);
  const paths = ['file', 'inside', 'outside', 'pipe', 'absent'];
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', SCRIPT, FILE, root, ...paths]);
  expect(stdout.toString().split('\n')).toEqual(['3', '3', 'OUTSIDE_ROOT', 'SOURCE_MISSING', 'SOURCE_MISSING', '']);
});
