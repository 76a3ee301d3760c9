import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { lackingForCopy, onCopyOfMachine } from '../support/machine.ts';
import { freePorts } from '../support/ports.ts';
import { temporaryFolders } from '../support/temporary.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const folder = temporaryFolders();
const lacking = lackingForCopy(['dpkg', 'dpkg-deb', 'rpm', 'rpmbuild', 'npm', 'curl', 'flock']);
const given = lacking === '' ? describe : describe.skip;

const run = (command: string, ...args: string[]) => {
  const { status, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stderr}`);
};

const UNIT = '/usr/lib/systemd/system/pulp-streamer.service';
const CONF = '/etc/pulp-streamer/pulp-streamer.conf';
/** What a shell says about the installed package: one line of \`name value\` each. */
const TOOLS = `
say() { printf '%s %s\\n' "$1" "$2"; }
there() { for one in ${UNIT} ${CONF} /usr/bin/pulp-streamer /usr/lib/pulp-streamer /var/lib/pulp-streamer; do [ -e $one ] && say "$1" $one; done; true; }
serve() {
  command=$(sed -n 's/^ExecStart=//p' ${UNIT})
  user=$(sed -n 's/^User=//p' ${UNIT})
  : >/tmp/log
  setpriv --reuid "$user" --regid "$user" --clear-groups $command >/tmp/log 2>&1 &
  pid=$!
  until grep -q '"msg":"ready"' /tmp/log; do kill -0 $pid || { cat /tmp/log; exit 1; }; sleep 0.1; done
  say "$1" "$(pulp-streamer --version) $(curl -so /dev/null -w '%{http_code}' http://127.0.0.1:$PORT/unknown)"
  kill -TERM $pid; wait $pid; say "$1" "ended $?"
}
installed() {
  say mode "$(stat -c '%a %U %G' ${CONF}) $(stat -c '%a %U %G' /var/lib/pulp-streamer)"
  say man "$(gzip -dc /usr/share/man/man1/pulp-streamer.1.gz | grep -c '^.S[HS]')"
  pulp-streamer completion bash | cmp - /usr/share/bash-completion/completions/pulp-streamer
  printf 'port = %s\\n' $PORT >>${CONF}
}
`;

const linesOf = (text: string) =>
  text.split('\n').filter((line) => /^(mode|man|first|second|removed|purged|kept) /.test(line));

given(`the packages${lacking && ` (skipped: needs ${lacking})`}`, () => {
  let out = '';
  let older: string[] = [];
  let newer: string[] = [];

  beforeAll(() => {
    out = folder();
    // One at a time with the test of the package of npm, which builds dist/ as well.
    const made = ['0.0.1', '0.0.2'].map(
      (version) => `"$0" scripts/package/run.ts --uncompressed --version ${version} --out "$1/${version}"`,
    );
    run('flock', 'package.json', 'sh', '-c', ['npm run build', ...made].join(' && '), process.execPath, out);
    older = readdirSync(join(out, '0.0.1')).sort();
    newer = readdirSync(join(out, '0.0.2')).sort();
  });

  it('of Debian is installed, serves as its unit says, is upgraded, removed and purged', async () => {
    const [port] = await freePorts(1);
    const said = onCopyOfMachine(
      out,
      `PORT=${port}\n${TOOLS}
      dpkg -i ${join(out, '0.0.1', older[1] ?? '')}
      installed
      serve first
      dpkg -i ${join(out, '0.0.2', newer[1] ?? '')}
      serve second
      dpkg -r pulp-streamer
      there removed
      dpkg -P pulp-streamer
      there purged`,
    );
    expect(linesOf(said)).toEqual([
      'mode 640 root pulp-streamer 700 pulp-streamer pulp-streamer',
      expect.stringMatching(/^man [1-9]\d/),
      'first 0.0.1 404',
      'first ended 0',
      'second 0.0.2 404',
      'second ended 0',
      `removed ${CONF}`,
      'removed /var/lib/pulp-streamer',
    ]);
  });

  it('of RPM systems is installed, serves as its unit says, is upgraded and removed', async () => {
    const [port] = await freePorts(1);
    const said = onCopyOfMachine(
      out,
      `PORT=${port}\n${TOOLS}
      # Its dependencies are Debian's packages here, which rpm does not know.
      rpm -i --nodeps ${join(out, '0.0.1', older[0] ?? '')}
      installed
      serve first
      rpm -U --nodeps ${join(out, '0.0.2', newer[0] ?? '')}
      serve second
      rpm -e pulp-streamer
      there removed
      [ -e ${CONF}.rpmsave ] && say kept ${CONF}.rpmsave`,
    );
    expect(linesOf(said)).toEqual([
      'mode 640 root pulp-streamer 700 pulp-streamer pulp-streamer',
      expect.stringMatching(/^man [1-9]\d/),
      'first 0.0.1 404',
      'first ended 0',
      'second 0.0.2 404',
      'second ended 0',
      'removed /var/lib/pulp-streamer',
      `kept ${CONF}.rpmsave`,
    ]);
  });

  it('leave nothing on this machine', () => {
    expect(spawnSync('dpkg', ['-s', 'pulp-streamer']).status).not.toBe(0);
    expect(spawnSync('rpm', ['-q', 'pulp-streamer']).status).not.toBe(0);
  });
});
