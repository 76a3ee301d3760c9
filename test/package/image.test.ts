import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildImage } from '../support/image.ts';
import { LIMITS, lackingForContainers, openPodman } from '../support/podman.ts';

const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-image-'));
const podman = openPodman(folder);
const lacking = lackingForContainers(folder);

/** As the compose files and the manifests run it. */
const AS_SHIPPED = [
  ...[...LIMITS, '--network=none', '--read-only', '--read-only-tmpfs=false', '--tmpfs', '/tmp'],
  ...['--cap-drop', 'all', '--security-opt', 'no-new-privileges'],
];
const container = (...args: readonly string[]) => podman.run('run', '--rm', ...AS_SHIPPED, ...args);
const inside = (name: string, script: string) => podman.must('exec', name, 'sh', '-ec', script);

afterAll(() => {
  podman.run('rm', '--all', '--force', '--time', '0');
  rmSync(folder, { recursive: true, force: true });
});

(lacking === '' ? describe : describe.skip)(`the image${lacking && ` (skipped: needs ${lacking})`}`, () => {
  beforeAll(() => buildImage(podman, folder, 'localhost/small'));

  it('serves as its user, on a root that nothing can write to, and ends with SIGTERM', () => {
    podman.must('run', '--detach', '--name', 'one', ...AS_SHIPPED, 'localhost/pulp-streamer');
    while (podman.run('healthcheck', 'run', 'one').status !== 0)
      if (podman.must('inspect', 'one', '--format', '{{.State.Running}}') !== 'true')
        throw new Error(podman.must('logs', 'one'));
    expect(inside('one', 'id -u; touch /x 2>/dev/null || echo read-only; pulp-streamer status --ready')).toBe(
      '10001\nread-only\nready',
    );
    expect(
      inside(
        'one',
        'while read -r name value; do case $name in CapBnd:|Uid:) echo $name $value;; esac; done </proc/1/status',
      ),
    ).toMatch(/^Uid: 10001\s.*\nCapBnd: 0+$/);
    podman.must('stop', '--time', '60', 'one');
    expect(podman.must('inspect', 'one', '--format', '{{.State.ExitCode}}')).toBe('0');
  });

  it('is not healthy without a daemon', () => {
    expect(container('localhost/pulp-streamer', 'status', '--ready').status).toBe(1);
  });

  it('ends with a signal also if a command has no listener for it, as the first process', () => {
    podman.must(
      'run',
      '--detach',
      '--interactive',
      '--name',
      'two',
      ...AS_SHIPPED,
      'localhost/pulp-streamer',
      'catalog',
      'load',
      '-',
    );
    // It has opened the catalog, and waits for lines.
    const waits = () => podman.run('exec', 'two', 'sh', '-c', '[ -e /var/lib/pulp-streamer/catalog.db ]').status === 0;
    while (!waits());
    podman.must('kill', '--signal', 'TERM', 'two');
    expect(podman.must('wait', 'two')).toBe('143');
  });

  it('reads secrets from /run/secrets as credentials', () => {
    const config = join(folder, 'own.conf');
    const secret = join(folder, 'url');
    writeFileSync(config, '[streamer]\nrsa_pub = credential:url-key\nbroker_url = credential:broker\n');
    writeFileSync(secret, 'amqp://u:p@h//\n');
    for (const file of [config, secret]) chmodSync(file, 0o644);
    const { status, said } = container(
      ...['--volume', `${config}:/etc/pulp-streamer/pulp-streamer.conf:ro`],
      ...['--volume', `${secret}:/run/secrets/broker:ro`, '--volume', `${secret}:/run/secrets/url-key:ro`],
      ...['localhost/pulp-streamer', 'check-config', '--print'],
    );
    expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/^rsa_pub +\/run\/secrets\/url-key /m) });
  });
});
