import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VECTORS } from '../support/signed-urls.ts';
import { type Booted, bootSystemd, lackingToBoot, PULP_STREAMER } from '../support/systemd/booted.ts';
import { missingTools } from '../support/tools.ts';

const lacking = lackingToBoot() || missingTools(['python3', 'setpriv', 'setarch', 'ionice']).join(', ');
const squidLacking = lacking || missingTools(['squid']).join(', ');
const given = lacking === '' ? describe : describe.skip;
const givenSquid = squidLacking === '' ? it : it.skip;
/** Not all roots may: the capability CAP_SYS_RESOURCE is needed. */
const mayRaiseFiles = spawnSync('prlimit', ['--nofile=65536:65536', 'true']).status === 0;

const CONF = '/etc/pulp-streamer/pulp-streamer.conf';
const DROP_IN = '/etc/systemd/system/pulp-streamer.service.d';
const SHELL = `
P='${PULP_STREAMER}'
show() { systemctl show --value -p "$1" pulp-streamer; }
status() { curl -so /dev/null -w '%{http_code}\\n' "$@"; }
journal() { journalctl --no-pager -u pulp-streamer "$@"; }
seen() { until journal -o cat | grep -qF -- "$1"; do sleep 0.05; done; }
`;

/**
 * Each succeeds for the service's user outside of the service. What root alone may do is not here:
 * the empty CapabilityBoundingSet= takes it away, whatever ProtectClock=, ProtectHostname=,
 * ProtectKernelModules=, RestrictRealtime= and others forbid in addition. Nor is SystemCallArchitectures=, which
 * would need a program of another processor.
 */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'CapabilityBoundingSet=': 'grep "^CapBnd:.*[1-9a-f]" /proc/self/status',
  'LockPersonality=': 'setarch --addr-no-randomize true',
  'NoNewPrivileges=': 'grep "^NoNewPrivs:.0" /proc/self/status',
  'PrivateDevices=': 'cat /dev/shared',
  'PrivateTmp=': 'cat /tmp/shared',
  'PrivateUsers=': 'grep 4294967295 /proc/self/uid_map',
  'ProcSubset=': 'cat /proc/meminfo',
  'ProtectControlGroups=': 'grep " /sys/fs/cgroup rw" /proc/self/mountinfo',
  'ProtectHome=': 'cat /home/shared',
  'ProtectProc=': 'test -d /proc/1',
  'ProtectSystem=': 'touch "$(mktemp -u /srv/XXXXXX)"',
  'RestrictAddressFamilies=': 'python3 -c "import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"',
  'RestrictNamespaces=': 'unshare --user true',
  'RestrictSUIDSGID=': 'chmod u+s "$(mktemp)"',
  'SystemCallFilter=@system-service': 'grep "^Seccomp:.0" /proc/self/status',
  'SystemCallFilter=~@privileged': 'chown "$(id -u)" "$(mktemp)"',
  'SystemCallFilter=~@resources': 'ionice -c 3 true',
  'UMask=': 'test "$(umask)" = 0022',
};
const ALLOWED: Readonly<Record<string, string>> = {
  'SystemCallFilter=setpriority': 'renice -n 5 $$',
  'StateDirectory=': 'touch /var/lib/pulp-streamer/probe',
};
const PROBE = Object.entries({ ...FORBIDDEN, ...ALLOWED })
  .map(([name, command]) => `{ ${command}; } >/dev/null 2>&1 && echo '${name} may' || echo '${name} may not'`)
  .join('\n');
const verdicts = (names: Readonly<Record<string, string>>, verdict: string) =>
  Object.keys(names).map((name) => `${name} ${verdict}`);
const lines = (text: string) => text.trim().split('\n');

given(`under a real systemd${lacking && ` (skipped: needs ${lacking})`}`, () => {
  let machine: Booted;
  const run = (script: string) => machine.run(SHELL + script);
  /** Writes a file inside. */
  const put = (path: string, text: string) =>
    run(`mkdir -p "$(dirname ${path})"; cat >${path} <<'END OF FILE'\n${text}\nEND OF FILE`);
  /** Starts the service again under other settings and additions to its unit. */
  const restart = async ({ conf = '', unit = '' }: { readonly conf?: string; readonly unit?: string }) => {
    await put(CONF, `[streamer]\n${conf}`);
    await put(`${DROP_IN}/test.conf`, `[Service]\n${unit}`);
    await run('systemctl daemon-reload; systemctl reset-failed; systemctl restart pulp-streamer');
  };

  beforeAll(async () => {
    machine = await bootSystemd();
    await run(`$P install-service --socket
      # Node starts in half of the time.
      systemctl set-environment NODE_COMPILE_CACHE=/var/lib/pulp-streamer/compiled`);
  });
  afterAll(() => machine?.end());

  it('is started once it accepts connections, with its status', async () => {
    const said = await run(
      'systemctl start pulp-streamer; status http://localhost:8751/unknown; show ActiveState; show StatusText; show User',
    );
    expect(lines(said)).toEqual([
      '404',
      'active',
      '127.0.0.1 port 8751, ::1 port 8751: 0 requests, 0 failed',
      'pulp-streamer',
    ]);
  });

  it('is reloading until it has read its configuration', async () => {
    await put(CONF, '[streamer]\ncache_timeout = 60');
    const said = await run(`systemctl log-level debug
      systemctl kill -s HUP --kill-who main pulp-streamer
      seen 'Changed reload -> running'
      systemctl log-level info
      journal -o cat _PID=1 | grep -oE 'Changed running -> reload|READY=1|RELOADING=1|Changed reload -> running'
      journal -o cat _SYSTEMD_UNIT=pulp-streamer.service | grep -oF '"applied":["cache_timeout"]'`);
    expect(lines(said)).toEqual([
      'RELOADING=1',
      'Changed running -> reload',
      'READY=1',
      'Changed reload -> running',
      '"applied":["cache_timeout"]',
    ]);
  });

  it('has its lines in the journal with their priorities, under its name', async () => {
    const said = await run(
      'journal -o json --output-fields=PRIORITY,SYSLOG_IDENTIFIER,MESSAGE _SYSTEMD_UNIT=pulp-streamer.service',
    );
    const found = lines(said).map((line) => JSON.parse(line));
    expect(found.length).toBeGreaterThan(1);
    for (const { PRIORITY, SYSLOG_IDENTIFIER, MESSAGE } of found)
      expect([PRIORITY, SYSLOG_IDENTIFIER, JSON.parse(MESSAGE).level]).toEqual(['6', 'pulp-streamer', 30]);
  });

  it(`runs under the limits of its unit${mayRaiseFiles ? '' : ', except for LimitNOFILE=, which this machine does not grant'}`, async () => {
    await run(
      'touch /dev/shared /tmp/shared /home/shared; chmod 0644 /dev/shared /tmp/shared /home/shared; chmod 1777 /srv',
    );
    await put('/srv/probe', PROBE);
    const outside = await run('setpriv --reuid pulp-streamer --regid pulp-streamer --clear-groups sh /srv/probe');
    expect(lines(outside)).toEqual(verdicts({ ...FORBIDDEN, ...ALLOWED }, 'may'));
    await restart({ unit: 'ExecStartPre=/bin/sh /srv/probe\nSyslogIdentifier=probe' });
    const inside = await run('journal -o cat -t probe | grep -E " may( not)?$"; status http://localhost:8751/unknown');
    expect(lines(inside)).toEqual([...verdicts(FORBIDDEN, 'may not'), ...verdicts(ALLOWED, 'may'), '404']);
    const files = await run(
      `sed -n 's/^Max open files *\\([0-9]*\\).*/\\1/p' "/proc/$(show MainPID)/limits"; ulimit -Hn`,
    );
    const [limit, most] = lines(files);
    expect(limit).toBe(mayRaiseFiles ? '65536' : most);
  });

  it('comes back if it hangs, by the watchdog', async () => {
    await restart({ unit: 'WatchdogSec=3' });
    const said = await run(`systemctl kill -s STOP --kill-who main pulp-streamer
      until [ "$(show NRestarts)" -ge 1 ] && [ "$(show ActiveState)" = active ]; do sleep 0.05; done
      journal -o cat | grep -c 'Watchdog timeout'
      status http://localhost:8751/unknown`);
    expect(lines(said).slice(-1)).toEqual(['404']);
    expect(Number(lines(said)[0])).toBeGreaterThan(0);
  });

  it('is not started again with a wrong configuration, and says why as an error', async () => {
    await put(CONF, '[streamer]\nport = many\nrsa_pub = credential:url-key');
    const said = await run(`systemctl restart pulp-streamer && exit 1
      for one in ActiveState Result ExecMainStatus NRestarts; do show $one; done
      journal -o cat -p err | grep -oE '/etc/.*(many|credential).*'`);
    expect(lines(said)).toEqual([
      'failed',
      'exit-code',
      '78',
      '0',
      `${CONF}:2: [streamer] port: expected a whole number from 0 to 65535; found "many"`,
      `${CONF}:3: [streamer] rsa_pub: credential:url-key is not there: CREDENTIALS_DIRECTORY is set only in the service (LoadCredential=)`,
    ]);
  });

  it('reads keys that only root may read, as credentials', async () => {
    const key = '/etc/pulp-streamer/url-key';
    const signed = VECTORS.cases.find(({ valid }) => valid)?.url ?? '';
    await put(key, VECTORS.public_key);
    await run(`chmod 600 ${key}`);
    await restart({
      conf: 'signed_urls = on\nrsa_pub = credential:url-key',
      unit: `LoadCredential=url-key:${key}`,
    });
    const said = await run(`status http://localhost:8751/a; status 'http://localhost:8751${signed}'`);
    expect(lines(said)).toEqual(['403', '404']);
  });

  it('ends its transfers before it stops, longer than systemd waits for others', async () => {
    // Less than a busy machine takes for its first word would be too little.
    await restart({ unit: 'TimeoutStopSec=10' });
    // The client takes more than fourteen seconds; sockets hold a few megabytes.
    const said = await run(`head -c 60000000 /dev/urandom >/srv/big
      sum=$(sha256sum /srv/big | cut -d' ' -f1)
      $P catalog add /big file:///srv/big --checksum sha256:$sum
      curl -s --limit-rate 4M -o /srv/copy http://localhost:8751/big & client=$!
      until [ -s /srv/copy ]; do sleep 0.05; done
      systemctl stop pulp-streamer
      wait $client || { journal -o short-precise; exit 1; }
      cmp /srv/big /srv/copy
      show Result`);
    expect(lines(said).at(-1)).toBe('success');
  });

  describe('with its sockets', () => {
    it('is started by the first request, over IPv4, IPv6 and that of the admin listener', async () => {
      const said = await run(`systemctl stop pulp-streamer
        systemctl enable --now pulp-streamer.socket pulp-streamer-admin.socket
        show ActiveState
        status 'http://[::1]:8751/unknown'
        show ActiveState
        status http://127.0.0.1:8751/unknown
        status http://127.0.0.1:8752/readyz`);
      expect(lines(said)).toEqual(['inactive', '404', 'active', '404', '200']);
    });

    it('refuses no connection while it restarts', async () => {
      const said = await run(`ask() {
          for request in $(seq 2000); do
            [ -e /run/over ] && break
            curl -so /dev/null -w '%{http_code} %{errormsg}\\n' "http://$2:8751/unknown" >>/run/answers.$1 || true
          done
        }
        ask 1 127.0.0.1 & ask 2 '[::1]' & ask 3 127.0.0.1 &
        count() { cat /run/answers.* 2>/dev/null | wc -l; }
        for restart in 1 2; do
          before=$(count)
          until [ "$(count)" -ge $((before + 15)) ]; do sleep 0.05; done
          systemctl restart pulp-streamer
        done
        touch /run/over
        wait
        count
        cat /run/answers.* | sort | uniq -c`);
      const [count = '0', ...kinds] = lines(said);
      expect(Number(count)).toBeGreaterThanOrEqual(30);
      expect(kinds.map((one) => one.trim())).toEqual([`${count} 404`]);
    });
  });

  givenSquid(`is there before Squid${squidLacking && ` (skipped: needs ${squidLacking})`}`, async () => {
    const squid = readFileSync(new URL('../../examples/squid/squid.conf', import.meta.url), 'utf8');
    await put('/etc/squid/squid.conf', squid);
    const said = await run(`systemctl disable --now pulp-streamer.socket pulp-streamer-admin.socket
      systemctl stop pulp-streamer squid
      systemctl enable pulp-streamer squid 2>/dev/null
      # As at boot, where nobody asks for one after the other.
      systemctl start multi-user.target
      # Squid is "started" a moment before it listens.
      until first=$(status http://localhost:3128/unknown); do sleep 0.05; done
      echo $first
      show ActiveEnterTimestampMonotonic
      systemctl show --value -p InactiveExitTimestampMonotonic squid`);
    const [first, active, squidStarts] = lines(said);
    expect(first).toBe('404');
    expect(Number(squidStarts)).toBeGreaterThanOrEqual(Number(active));
  });
});
