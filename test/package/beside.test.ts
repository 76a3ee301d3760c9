import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { howToInstall } from '../../src/app/how-to-install.ts';
import { itNeeding, write } from '../support/repositories.ts';
import { temporaryFolders } from '../support/temporary.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const CLIENT = '@aws-sdk/client-s3';
const folder = temporaryFolders();

describe('A package beside this one', () => {
  it.each([
    ['/usr/lib/pulp-streamer', 'npm install --global --prefix /usr a b'],
    ['/usr/local/lib/node_modules/pulp-streamer', 'npm install --global --prefix /usr/local a b'],
    ['/lib/pulp-streamer', 'npm install --global --prefix / a b'],
    ['/home/me/site/node_modules/pulp-streamer', 'npm install a b'],
    ['/src/pulp-streamer', 'npm install a b'],
  ])('of the one in %s is installed by %s', (root, command) => expect(howToInstall(['a', 'b'], root)).toBe(command));

  // npm itself is often there.
  itNeeding(['npm'])('is found where the message has it installed, and others stay', () => {
    const usr = join(folder(), 'usr');
    const root = join(usr, 'lib/pulp-streamer');
    write(join(root, 'dist/cli/probe.mjs'), `console.log(typeof (await import('${CLIENT}')).S3Client);`);
    const other = join(usr, 'lib/node_modules/other/package.json');
    write(other, '{ "name": "other", "version": "1.0.0" }');
    // The client of this project in the place of that of the registry.
    const [npm = '', ...args] = howToInstall([join(ROOT, 'node_modules', CLIENT)], root).split(' ');
    const env = { ...process.env, npm_config_offline: 'true', npm_config_audit: 'false', npm_config_cache: folder() };
    expect(spawnSync(npm, args, { cwd: folder(), env, encoding: 'utf8' })).toMatchObject({ status: 0 });
    const probe = spawnSync(process.execPath, [join(root, 'dist/cli/probe.mjs')], { encoding: 'utf8' });
    expect([probe.stdout, probe.stderr]).toEqual(['function\n', '']);
    expect(existsSync(other)).toBe(true);
  });
});
