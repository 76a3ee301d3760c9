import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseAllDocuments, stringify } from 'yaml';
import { digestOf } from '../support/collect.ts';
import { debianSystem } from '../support/debian.ts';
import { buildImage } from '../support/image.ts';
import { ferretdb } from '../support/mongodb-server.ts';
import { lackingForContainers } from '../support/podman.ts';
import { lackingForNetworks, openPodmanNetwork, type PodmanNetwork } from '../support/podman-network.ts';
import { missingTools } from '../support/tools.ts';
import { until } from '../support/until.ts';

jest.setTimeout(600_000); // images in which packages are installed, on machines that may be busy

const ROOT = new URL('../..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-compose-'));
const lacking = () =>
  missingTools(['podman-compose', 'debootstrap', 'catatonit', 'nsenter', 'ip', 'iptables', 'curl']).join(', ') ||
  lackingForNetworks() ||
  lackingForContainers(folder);
const missing = lacking();
const debian = missing === '' ? debianSystem() : undefined;
const why = missing || (debian ? '' : 'Debian’s packages');

/** A feed of one file, in the network of the containers' host. It says which paths it was asked for. */
const FEED = `require('node:http').createServer((req, res) => { console.log(req.url); res.end('the bytes'); }).listen(8000);`;
const BYTES = Buffer.from('the bytes');
const SUM = `sha256:${digestOf(BYTES)}`;

(why === '' ? describe : describe.skip)(`what runs the image${why && ` (skipped: needs ${why})`}`, () => {
  const server = ferretdb();
  const withMongo = server ? it : it.skip;
  let podman: PodmanNetwork;
  let asked = '';
  let feed: ReturnType<typeof spawn> | undefined;

  beforeAll(async () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    podman = await openPodmanNetwork(own);
    podman.must('import', String(debian), 'localhost/debian');
    buildImage(podman, own, 'localhost/debian');
    if (server) buildMongo(server);
    const [program = '', ...words] = podman.inside;
    feed = spawn(program, [...words, process.execPath, '-e', FEED], { stdio: ['ignore', 'pipe', 'inherit'] });
    feed.stdout?.setEncoding('utf8').on('data', (text: string) => {
      asked += text;
    });
  });

  const buildMongo = (binary: string) => {
    const context = join(folder, 'mongo');
    cpSync(join(ROOT, 'test/support/stand-ins/mongo'), context, { recursive: true });
    copyFileSync(binary, join(context, 'ferretdb'));
    copyFileSync(process.execPath, join(context, 'node'));
    podman.build('localhost/mongo:7', context, { BASE: 'localhost/debian' });
  };

  afterEach(() => {
    asked = '';
    podman.run('pod', 'rm', '--all', '--force', '--time', '0');
    podman.run('rm', '--all', '--force', '--time', '0');
    podman.run('volume', 'rm', '--all', '--force');
  });

  afterAll(async () => {
    feed?.kill('SIGKILL');
    if (feed) await once(feed, 'close');
    await podman?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a client at the published ports gets: its status, and all that it was sent. */
  const curl = (url: string, ...args: readonly string[]) => {
    const [program = '', ...words] = podman.inside;
    const { status, stdout } = spawnSync(program, [...words, 'curl', '-sS', '-i', '--max-time', '30', ...args, url], {
      encoding: 'utf8',
    });
    return { status, said: stdout.trim() };
  };
  const gatewayOf = (network: string) =>
    podman.must('network', 'inspect', network, '--format', '{{(index .Subnets 0).Gateway}}');
  /** Catalogues the feed's file in a container, for the path `/a/fox.rpm`. */
  const addTo = (container: string, network: string) =>
    podman.must(
      'exec',
      container,
      'pulp-streamer',
      'catalog',
      'add',
      '/a/fox.rpm',
      `http://${gatewayOf(network)}:8000/fox.rpm`,
      '--checksum',
      SUM,
    );
  const isHealthy = (container: string) => podman.run('healthcheck', 'run', container).status === 0;
  const statusOf = (container: string) => podman.must('inspect', container, '--format', '{{.State.ExitCode}}');

  /** The files of a compose file, as users have them: readable by all. */
  const filesOf = (name: string) => {
    const place = join(folder, name);
    cpSync(join(ROOT, 'examples/containers', name), place, { recursive: true });
    for (const file of readdirSync(place)) chmodSync(join(place, file), 0o644);
    return place;
  };

  it('is the compose file with Squid: one transfer, a hit, and an admin port for this machine alone', async () => {
    podman.build('localhost/pulp-streamer-squid', join(ROOT, 'examples/containers/squid'), {
      BASE: 'localhost/debian',
    });
    const place = filesOf('squid');
    podman.compose(place, 'up', '--detach');
    await until(() => isHealthy('squid_streamer_1'));
    addTo('squid_streamer_1', 'squid_default');
    const ask = () =>
      curl('http://localhost:3128/a/fox.rpm', '--retry', '30', '--retry-connrefused', '--retry-delay', '1');
    expect(ask()).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^HTTP\/1.1 200 .*X-Cache: MISS.*the bytes$/s),
    });
    expect(ask()).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^HTTP\/1.1 200 .*X-Cache: HIT.*the bytes$/s),
    });
    await until(() => asked !== '');
    expect(asked).toBe('/fox.rpm\n');
    expect(curl('http://localhost:8752/readyz').said).toMatch(/ready$/);
    const REFUSED = 7;
    expect(curl(`http://${gatewayOf('squid_default')}:8752/readyz`).status).toBe(REFUSED);
    expect(curl('http://localhost:8751/a/fox.rpm').status).toBe(REFUSED);
    podman.compose(place, 'stop');
    expect(['squid_streamer_1', 'squid_squid_1'].map(statusOf)).toEqual(['0', '0']);
    // The catalog is in the volume.
    podman.compose(place, 'start');
    expect(ask()).toMatchObject({ status: 0, said: expect.stringMatching(/^HTTP\/1.1 200 .*the bytes$/s) });
    podman.compose(place, 'down');
  });

  withMongo('is the compose file with MongoDB, RabbitMQ and Celery: a file that is fetched is saved', async () => {
    const base = { BASE: 'localhost/debian' };
    podman.build('localhost/rabbitmq:4', join(ROOT, 'test/support/stand-ins/rabbitmq'), base);
    podman.build('localhost/pulp-streamer-worker', join(ROOT, 'examples/celery'), base);
    const place = filesOf('celery');
    writeFileSync(join(place, '.env'), 'CATALOG_PASSWORD=0123abcd\nBROKER_PASSWORD=4567cdef\n');
    // The server in place of MongoDB knows no users.
    const url = { PULP_STREAMER_SHARED_CATALOG_URL: 'mongodb://mongodb/pulp_streamer' };
    writeFileSync(join(place, 'own.yaml'), stringify({ services: { streamer: { environment: url } } }));
    podman.compose(place, '--file', 'compose.yaml', '--file', 'own.yaml', 'up', '--detach');
    await until(() => isHealthy('celery_streamer_1'));
    addTo('celery_streamer_1', 'celery_default');
    expect(curl('http://localhost:8751/a/fox.rpm').said).toMatch(/the bytes$/);
    await until(() => podman.run('exec', 'celery_worker_1', 'cat', '/srv/saved/results.jsonl').status === 0);
    expect(JSON.parse(podman.must('exec', 'celery_worker_1', 'cat', '/srv/saved/results.jsonl'))).toMatchObject({
      outcome: 'saved',
      path: '/a/fox.rpm',
    });
    expect(podman.must('exec', 'celery_worker_1', 'cat', '/srv/saved/a/fox.rpm')).toBe('the bytes');
    // podman-compose ends what others need first.
    podman.compose(place, 'stop', '--timeout', '60', 'streamer');
    expect(statusOf('celery_streamer_1')).toBe('0');
    podman.compose(place, 'down');
  });

  withMongo('is a pod of the Kubernetes manifests: configuration, secret, volume, probes and rights', async () => {
    // As kubectl reads them: 0440 is octal.
    const all = ['configmap', 'secret', 'statefulset'].flatMap((name) =>
      parseAllDocuments(readFileSync(join(ROOT, `examples/kubernetes/${name}.yaml`), 'utf8'), { version: '1.1' }).map(
        (one) => one.toJS(),
      ),
    );
    const of = (kind: string) => all.find((one) => one.kind === kind);
    const { template, volumeClaimTemplates } = of('StatefulSet').spec;
    const [claim] = volumeClaimTemplates;
    const metadata = { name: `${claim.metadata.name}-pulp-streamer-0` };
    const { spec } = template;
    spec.containers[0].image = 'localhost/pulp-streamer';
    spec.volumes.push({ name: claim.metadata.name, persistentVolumeClaim: { claimName: metadata.name } });
    // Podman 4.3 fails without it.
    spec.volumes.find((one: { name: string }) => one.name === 'credentials').secret.optional = false;
    const write = (name: string, ...documents: readonly unknown[]) => {
      writeFileSync(join(folder, name), documents.map((one) => stringify(one)).join('---\n'));
      return join(folder, name);
    };
    const pod = write(
      'pod.yaml',
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: claim.spec },
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, name: 'pulp-streamer-0' }, spec },
    );
    const map = write('map.yaml', of('ConfigMap'));
    // Podman has no manifests of secrets, but takes one as the content of its own.
    const secret = { 'catalog-url': 'mongodb://mongodb/pulp_streamer' };
    podman.must('secret', 'create', of('Secret').metadata.name, write('secret.yaml', { data: secret }));
    podman.must('network', 'create', 'cluster');
    podman.must('run', '--detach', '--name', 'mongodb', '--network', 'cluster', 'localhost/mongo:7');
    podman.must('kube', 'play', '--network', 'cluster', '--configmap', map, pod);
    const name = 'pulp-streamer-0-pulp-streamer';
    const [container] = spec.containers;
    const { containerPort } = container.ports.find((one: { name: string }) => one.name === 'admin');
    // curl prints the answers of all attempts; it ends with the one that is good.
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(
        curl(
          `http://localhost:${containerPort}${container[probe].httpGet.path}`,
          '--retry',
          '30',
          '--retry-connrefused',
          '--retry-delay',
          '1',
        ).said,
      ).toMatch(/^HTTP\/1.1 200 /m);
    addTo(name, 'cluster');
    expect(curl('http://localhost:8751/a/fox.rpm').said).toMatch(/the bytes$/);
    const inside = (script: string) => podman.must('exec', name, 'sh', '-ec', script);
    expect(inside('id -u; id -g; touch /x 2>/dev/null || echo read-only; cat /run/secrets/catalog-url')).toBe(
      `10001\n10001\nread-only\n${secret['catalog-url']}`,
    );
    expect(inside('ls /var/lib/pulp-streamer/state')).toContain('catalog.db');
    // What Kubernetes does before it stops the pod.
    podman.must('exec', name, ...container.lifecycle.preStop.exec.command);
    expect(curl(`http://localhost:${containerPort}${container.readinessProbe.httpGet.path}`).said).toMatch(
      /^HTTP\/1.1 503 /,
    );
    podman.must('stop', '--time', '60', name);
    expect(statusOf(name)).toBe('0');
  });
});
