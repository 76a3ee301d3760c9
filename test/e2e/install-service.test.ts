import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filesBelow, temporaryFolders } from '../support/folder.ts';
import { processes, succeeded } from '../support/processes.ts';
import { MAIN, pulpStreamer } from '../support/site.ts';
import { missingTools } from '../support/tools.ts';

const start = processes();
const folder = temporaryFolders();
const shipped = (name: string): string =>
  readFileSync(new URL(`../../examples/systemd/${name}`, import.meta.url), 'utf8');
const COMMAND = `ExecStart=${process.execPath} --disable-sigusr1 ${MAIN} serve`;
const printed = async (...args: string[]) => {
  const { stdout, stderr } = await succeeded(pulpStreamer(start, 'install-service', '--print', ...args));
  return { text: stdout.toString(), stderr };
};

describe('install-service', () => {
  it('prints the shipped unit with the command of this installation, and the user that it makes', async () => {
    const { text } = await printed();
    const unit = shipped('pulp-streamer.service').replace(/^ExecStart=.*$/m, COMMAND);
    expect(text).toBe(
      `# /etc/systemd/system/pulp-streamer.service\n${unit}\n# /etc/sysusers.d/pulp-streamer.conf\n${shipped('sysusers.conf')}`,
    );
  });

  it('takes the place of Pulp 2’s streamer, with sockets of the same name', async () => {
    const { text } = await printed('--pulp2', '--socket');
    expect(text.match(/^# \/etc.*$|^(ExecStart|User|Service|ListenStream|FileDescriptorName)=.*$/gm)).toEqual([
      '# /etc/systemd/system/pulp_streamer.service',
      COMMAND,
      'User=apache',
      '# /etc/systemd/system/pulp_streamer.socket',
      'ListenStream=127.0.0.1:8751',
      'ListenStream=[::1]:8751',
      '# /etc/systemd/system/pulp_streamer-admin.socket',
      'ListenStream=127.0.0.1:8752',
      'FileDescriptorName=admin',
      'Service=pulp_streamer.service',
    ]);
  });

  it('runs as another user, and refuses what is not one', async () => {
    const { text } = await printed('--user', 'www-data');
    expect(text).toContain('\nUser=www-data\n');
    expect(text).not.toContain('sysusers.d');
    const odd = await pulpStreamer(start, 'install-service', '--print', '--user', 'a\nExecStart=/x').ended;
    expect(odd.status).toBe(1);
    expect(odd.stderr).toContain('--user: expected the name of a user');
  });

  it('writes into another root, again and again, unless the service could not reach the package', async () => {
    const root = folder();
    for (let time = 1; time <= 2; time += 1) {
      const { status, stdout, stderr } = await pulpStreamer(start, 'install-service', '--socket', '--root', root).ended;
      if (/^\/(home|root|run\/user|tmp|var\/tmp)\//.test(MAIN)) {
        expect(stderr).toContain('a service cannot reach this folder');
        expect({ status, files: filesBelow(root) }).toEqual({ status: 1, files: [] });
      } else {
        expect(stdout.toString()).toContain('systemctl enable --now pulp-streamer.service pulp-streamer.socket');
        expect(filesBelow(root)).toHaveLength(4);
        expect(statSync(join(root, 'etc/systemd/system/pulp-streamer.service')).mode & 0o777).toBe(0o644);
      }
    }
  });
});

const missing = missingTools(['systemd-analyze']);
(missing.length === 0 ? describe : describe.skip)(
  missing.length === 0 ? 'the units' : 'the units (skipped: needs systemd-analyze)',
  () => {
    it('have an exposure of at most 2.0 in the eyes of systemd', () => {
      const unit = new URL('../../examples/systemd/pulp-streamer.service', import.meta.url).pathname;
      const { status, stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]);
      expect({ status, last: stdout.toString().trim().split('\n').at(-1) }).toEqual({
        status: 0,
        last: expect.stringMatching(/Overall exposure level for pulp-streamer.service: [01]\.\d OK/),
      });
    });

    it('are right in the eyes of systemd', () => {
      const own = folder();
      const units = ['pulp-streamer.service', 'pulp-streamer.socket', 'pulp-streamer-admin.socket'];
      for (const name of units)
        writeFileSync(join(own, name), shipped(name).replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'));
      const args = ['verify', '--man=no', ...units.map((name) => join(own, name))];
      const { status, stderr } = spawnSync('systemd-analyze', args);
      const ours = stderr
        .toString()
        .split('\n')
        .filter((line) => line.includes('pulp-streamer'));
      expect({ status, ours }).toEqual({ status: 0, ours: [] });
    });
  },
);
