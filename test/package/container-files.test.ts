import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { findingsOf, lintersFolder } from '../support/linters.ts';
import { processes, succeeded } from '../support/processes.ts';
import { MAIN } from '../support/site.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { missingTools } from '../support/tools.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const filesLike = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).sort();
const folder = temporaryFolders();
const start = processes();

const IMAGE = 'examples/containers/Containerfile';
const COMPOSED = ['squid', 'celery'].map((name) => `examples/containers/${name}`);
const MANIFESTS = filesLike('examples/kubernetes/*.yaml');

// biome-ignore lint/suspicious/noExplicitAny: documents of any shape, of which the tests name single values.
type Document = any;
const documents: readonly Document[] = MANIFESTS.flatMap((file) => parseAllDocuments(read(file))).map((one) =>
  one.toJS(),
);
const ofKind = (kind: string): Document => documents.find((one) => one.kind === kind);
const pod = ofKind('StatefulSet').spec.template.spec;
const [container] = pod.containers;
const composed = (place: string): Document => parseYaml(read(`${place}/compose.yaml`));

/** Settings of a configuration, checked as the daemon would; a warning is a failure as well. */
const settingsOf = async (text: string, more: NodeJS.ProcessEnv = {}) => {
  const own = folder();
  const config = join(own, 'pulp-streamer.conf');
  writeFileSync(config, text);
  const args = ['check-config', '--json', '--config', config, '--state-dir', join(own, 'state')];
  const { PATH } = process.env;
  const checked = start(process.execPath, [MAIN, ...args], { env: { PATH, ...more } });
  const { stdout, stderr } = await succeeded(checked);
  expect(stderr).toBe('');
  const all: Readonly<Record<string, { readonly value: unknown }>> = JSON.parse(stdout.toString());
  return (key: string) => all[key]?.value;
};

/** What Compose makes of `${NAME:?message}`. */
const filled = (environment: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [name, text.replace(/\$\{\w+:\?[^}]*\}/g, '0123abcd')]),
  );

/** The words of an instruction of a Containerfile. */
const instruction = (file: string, name: string): readonly string[] =>
  JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(read(file))?.[1] ?? '[]');

const inSeconds = (text: string) => Number(text.replace(/s$/, ''));

describe('the compose files', () => {
  /** Rules against what is meant: images that are built here, and ports for clients on other machines. */
  const MEANT = ['no-build-and-image', 'no-unbound-port-interfaces', 'service-image-require-explicit-tag'];
  const findings = (...files: readonly string[]) =>
    spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/.bin/dclint'), '--quiet', ...files, '--disable-rule', ...MEANT],
      { encoding: 'utf8' },
    ).stdout.trim();

  it('are valid, and a linter finds nothing', () => {
    expect(findings(...COMPOSED.map((place) => join(ROOT, place, 'compose.yaml')))).toBe('');
    const wrong = join(folder(), 'compose.yaml');
    writeFileSync(wrong, read(`${COMPOSED[0]}/compose.yaml`).replace('read_only:', 'readonly:'));
    expect(findings(wrong)).toContain('invalid-schema');
  });

  it.each(COMPOSED)('%s configure the streamer as check-config accepts it, and publish its ports', async (place) => {
    const { streamer } = composed(place).services;
    const setting = await settingsOf(read(`${place}/pulp-streamer.conf`), filled(streamer.environment));
    expect(streamer.volumes).toContain('./pulp-streamer.conf:/etc/pulp-streamer/pulp-streamer.conf:ro');
    expect([setting('interfaces'), setting('admin_interfaces')]).toEqual([[], []]);
    expect(streamer.ports).toContain(`127.0.0.1:${setting('admin_port')}:${setting('admin_port')}`);
    expect(inSeconds(streamer.stop_grace_period)).toBeGreaterThan(Number(setting('stop_timeout')));
    expect(read(IMAGE)).toContain(`CMD ${JSON.stringify(streamer.healthcheck.test.slice(1)).replaceAll(',', ', ')}\n`);
  });

  it.each(COMPOSED)('%s take everything that is ours from a root that cannot be written, without rights', (place) => {
    const ours = Object.values<Document>(composed(place).services).filter(({ build }) => build);
    expect(ours.length).toBe(2);
    for (const { init, read_only, cap_drop, security_opt } of ours)
      expect({ init, read_only, cap_drop, security_opt }).toEqual({
        init: true,
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
  });
});

describe('the configuration of the image', () => {
  it('is accepted, and listens on the exposed ports', async () => {
    const setting = await settingsOf(read('examples/containers/pulp-streamer.conf'));
    expect([setting('port'), setting('admin_port')]).toEqual([8751, 8752]);
    expect(read(IMAGE)).toContain('\nEXPOSE 8751 8752\n');
  });
});

describe('Squid’s configuration in a container', () => {
  const own = 'examples/containers/squid/squid.conf';
  const linesOf = (file: string) =>
    read(file)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('# '));

  it('is the shipped one, but for its peer, its clients and its logs', () => {
    const [shipped, here] = [linesOf('examples/squid/squid.conf'), linesOf(own)];
    expect(here.filter((line) => !shipped.includes(line))).toEqual([
      'cache_peer streamer parent 8751 0 no-query no-digest originserver name=streamer',
      'acl clients src 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7',
      'http_access allow clients',
      'access_log stdio:/dev/stdout',
      'cache_log /dev/stderr',
      'pid_filename none',
    ]);
    expect(shipped.filter((line) => !here.includes(line))).toHaveLength(6);
  });

  const missing = missingTools(['squid']);
  (missing.length === 0 ? it : it.skip)(
    `is parsed by Squid${missing.length > 0 ? ' (skipped: needs squid)' : ''}`,
    () => {
      const { status, stderr } = spawnSync('squid', ['-k', 'parse', '-f', join(ROOT, own)], { encoding: 'utf8' });
      expect({ status, faults: stderr.split('\n').filter((line) => /WARNING|ERROR|FATAL/.test(line)) }).toEqual({
        status: 0,
        faults: [],
      });
    },
  );
});

describe('the Kubernetes manifests', () => {
  const { 'pulp-streamer.conf': config } = ofKind('ConfigMap').data;
  const mounts: readonly Document[] = container.volumeMounts;
  const placeOf = (name: string): string => mounts.find((mount) => mount.name === name)?.mountPath;

  it('configure the streamer as check-config accepts it, with the keys of the secret as credentials', async () => {
    const secrets = folder();
    for (const [key, text] of Object.entries<string>(ofKind('Secret').stringData))
      writeFileSync(join(secrets, key), text);
    const setting = await settingsOf(config, { CREDENTIALS_DIRECTORY: secrets });
    expect(read(IMAGE)).toContain(`\nENV CREDENTIALS_DIRECTORY=${placeOf('credentials')}\n`);
    expect(placeOf('config')).toBe('/etc/pulp-streamer');
    expect(/^state_dir = (.*)$/m.exec(config)?.[1]).toBe(`${placeOf('state')}/state`);
    const drain: readonly string[] = container.lifecycle.preStop.exec.command;
    const timeout = drain.at(-1) ?? '';
    expect(drain.slice(0, 2)).toEqual([...instruction(IMAGE, 'ENTRYPOINT'), 'drain']);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(inSeconds(timeout) + Number(setting('stop_timeout')));
    const ports = Object.fromEntries(container.ports.map((one: Document) => [one.name, one.containerPort]));
    expect(ports).toEqual({ http: setting('port'), admin: setting('admin_port') });
  });

  it('ask each probe at the admin listener', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => [httpGet.path, httpGet.port])).toEqual([
      ['/startupz', 'admin'],
      ['/livez', 'admin'],
      ['/readyz', 'admin'],
    ]);
  });

  it('give the pod no rights, and none of the variables that name services', () => {
    // PULP_STREAMER_PORT=tcp://… would be taken for the setting `port`.
    expect(pod).toMatchObject({ enableServiceLinks: false, automountServiceAccountToken: false });
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(read(IMAGE)).toContain(`\nUSER ${runAsUser}:${runAsGroup}\n`);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('select the pods of the StatefulSet, everywhere', () => {
    const labels = ofKind('StatefulSet').spec.template.metadata.labels;
    const selectors = documents.flatMap(({ kind, spec }) => {
      if (kind === 'Service') return [spec.selector];
      return spec ? [(spec.selector ?? spec.podSelector).matchLabels] : [];
    });
    expect(selectors).toEqual(Array.from({ length: 5 }, () => labels));
    expect(
      documents.some(
        ({ kind, metadata }) => kind === 'Service' && metadata.name === ofKind('StatefulSet').spec.serviceName,
      ),
    ).toBe(true);
  });
});

describe('the worker’s image', () => {
  it('runs what its README runs', () => {
    const file = 'examples/celery/Containerfile';
    const [, ...words] = [...instruction(file, 'ENTRYPOINT'), ...instruction(file, 'CMD')];
    expect(read('examples/celery/README.md')).toContain(`$ python3 ${words.join(' ')} &`);
  });
});

const bin = missingTools(['pip3']).length === 0 ? lintersFolder() : undefined;
(bin ? describe : describe.skip)(`linters${bin ? '' : ' (skipped: need pip3, and its registry)'}`, () => {
  const lint = (program: string, ...args: string[]) => findingsOf(bin ?? '', program, args);

  it('find nothing in the Containerfiles', () => {
    const files = [...filesLike('examples/**/Containerfile')];
    expect(files).toHaveLength(3);
    // Debian's security updates would be kept out by a fixed version.
    expect(lint('hadolint', '--ignore', 'DL3008', ...files.map((file) => join(ROOT, file)))).toBe('');
    const bad = join(folder(), 'Containerfile');
    writeFileSync(bad, 'FROM debian\nRUN cd /\n');
    expect(lint('hadolint', bad)).toContain('DL3003');
  });

  it('find nothing in the manifests', () => {
    const strictly = ['--strict', '--quiet', '--kubernetes-version', '1.33'];
    expect(lint('kubernetes-validate', ...strictly, ...MANIFESTS.map((file) => join(ROOT, file)))).toBe('');
    const own = join(folder(), 'manifests');
    mkdirSync(own);
    const bad = join(own, 'service.yaml');
    writeFileSync(bad, read('examples/kubernetes/service.yaml').replace('targetPort', 'targetPorts'));
    expect(lint('kubernetes-validate', ...strictly, bad)).toContain('targetPorts');
  });
});
