import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { ownEnvironment, processes } from '../support/processes.ts';
import { COMPILED, MAIN, makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const folder = temporaryFolders();
const startFeed = closedFeeds();

/** A secret that occurs nowhere else, by the place that it is put in. */
const marked = (place: string): string => `Zq${Buffer.from(place).toString('hex')}qZ`;
const SECRETS = {
  ...Object.fromEntries(
    [
      ...['password', 'proxyPassword', 'queryToken', 'header', 'otherHeader', 'credential', 'standardInput'],
      ...['entryPassword', 'entryQuery', 'entrySignature', 'feedPassword', 'feedQuery', 'dataPassword'],
      ...['sourcePassword', 'sourceProxyPassword', 'sourceUrl', 'database', 'databaseUrl', 'broker', 'environment'],
      ...['collector', 'clientQuery', 'clientPath'],
    ].map((place) => [place, marked(place)]),
  ),
} as Readonly<Record<string, string>>;

/** The secret itself, and in the forms in which it is sent. */
const formsOf = (secret: string): string[] => [secret, ...[0, 1, 2].map((offset) => inBase64(secret, offset))];

/** The part of the Base64 of a text that does not depend on what is before and after it. */
const inBase64 = (secret: string, offset: number): string =>
  Buffer.from(' '.repeat(offset) + secret)
    .toString('base64')
    .slice(offset === 0 ? 0 : 4, -4);

let certificates: Certificates;
beforeAll(async () => {
  certificates = await createCertificates();
});

/** Every file below a folder, as text. */
const filesOf = (root: string): [name: string, text: string][] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(root, name)).isFile())
    .map((name) => [name, readFileSync(join(root, name), 'latin1')]);

describe('a secret', () => {
  it('is in no output, no log and no file that is not meant to hold it', async () => {
    const home = folder();
    const file = (name: string, text: string): string => {
      writeFileSync(join(home, name), text);
      return join(home, name);
    };
    const credentials = join(home, 'credentials');
    mkdirSync(credentials);
    writeFileSync(join(credentials, 'feed'), SECRETS.credential ?? '');
    writeFileSync(join(credentials, 'broker'), `amqp://u:${SECRETS.broker}@127.0.0.1:1//`);
    const [adminPort = 0] = await freePorts(1);
    const feed = await startFeed(({ url = '' }, response) =>
      url.includes('MANIFEST') ? response.end(`x,${'0'.repeat(64)},1\n`) : response.writeHead(503).end(),
    );
    const { host } = new URL(feed.url);
    const site = makeSite(start, home, {
      ...{ dispatch: 'celery', admin_port: adminPort, broker_url: 'credential:broker', attempts: 1, retry_wait: 0 },
      ...{ database_password: SECRETS.database ?? '', content_sources_dir: join(home, 'conf.d') },
      traces: 'yes',
    });
    writeFileSync(
      join(home, 'conf.d/a.conf'),
      `[mirror]\nenabled: 1\ntype: yum\nbase_url: http://u:${SECRETS.sourceUrl}@${host}/\nbasic_auth_username: u\n` +
        `basic_auth_password: ${SECRETS.sourcePassword}\nproxy_url: http://127.0.0.1\nproxy_port: 1\n` +
        `proxy_username: u\nproxy_password: ${SECRETS.sourceProxyPassword}\n`,
    );
    const key = certificates.client.key;
    const said: [what: string, text: string][] = [];
    const env = { ...ownEnvironment(), CREDENTIALS_DIRECTORY: credentials, NODE_COMPILE_CACHE: COMPILED };
    const run = async (args: readonly string[], more: { input?: string; env?: NodeJS.ProcessEnv } = {}) => {
      const { status, stdout, stderr } = await start(process.execPath, [MAIN, ...args, '--config', site.config], {
        ...{ env: { ...env, ...more.env }, input: more.input },
      }).ended;
      said.push([args.join(' '), `${stdout}${stderr}`]);
      return { status, out: stdout.toString() };
    };

    const importer = async (args: readonly string[], input?: string): Promise<string> => {
      const { status, out } = await run(['importers', 'add', ...args], { input });
      expect({ args, status }).toEqual({ args, status: 0 });
      return out.trim();
    };
    const id = await importer([
      ...['--feed', feed.url, '--username', 'u', '--password-file', file('password', `${SECRETS.password}\n`)],
      ...['--proxy-host', 'http://127.0.0.1', '--proxy-port', '1', '--proxy-username', 'u'],
      ...['--proxy-password-file', file('proxy', `${SECRETS.proxyPassword}`)],
      ...['--query-token-file', file('token', `token=${SECRETS.queryToken}\n`)],
      ...['--header-file', file('header', `X-A: ${SECRETS.header}\nAuthorization: Bearer ${SECRETS.otherHeader}\n`)],
      ...['--client-cert', file('client.pem', certificates.client.cert), '--client-key', file('client.key', key)],
    ]);
    const other = await importer(['--username', 'u', '--password-file', 'credential:feed']);
    const third = await importer(['--username', 'u', '--password-file', '-'], `${SECRETS.standardInput}\n`);
    for (const [path, url] of [
      ['/a', `http://u:${SECRETS.entryPassword}@${host}/a?token=${SECRETS.entryQuery}`],
      ['/b', `${feed.url}/b?x;signature=${SECRETS.entrySignature}`],
    ] as const)
      await run(['catalog', 'add', path, url, '--importer', id, '--checksum', `sha256:${'0'.repeat(64)}`]);
    const loaded = {
      path: '/c',
      importer_id: id,
      unit_id: 'c',
      unit_type_id: 'iso',
      url: `${feed.url}/c`,
      revision: 1,
    };
    const data = { mirror: `http://u:${SECRETS.dataPassword}@${host}/` };
    await run(['catalog', 'load', '-'], { input: `${JSON.stringify({ ...loaded, data })}\n` });
    const followed = await run([
      ...['catalog', 'follow', 'files', feed.url, '--prefix', '/followed'],
      ...['--query-token-file', file('followed', `k=${SECRETS.feedQuery}`), '--username', 'u'],
      ...['--password-file', file('feed', `${SECRETS.feedPassword}`)],
    ]);
    expect(followed.status).toBe(0);

    const mongodb = { PULP_STREAMER_MONGODB_URL: `mongodb://u:${SECRETS.databaseUrl}@127.0.0.1:1/x` };
    const broker = { PULP_STREAMER_BROKER_URL: `amqp://u:${SECRETS.environment}@127.0.0.1:1//` };
    for (const json of [[], ['--json']]) {
      for (const one of [id, other, third]) await run(['importers', 'show', one, ...json]);
      for (const path of ['/a', '/b', '/c']) {
        await run(['catalog', 'show', path, ...json]);
        await run(['explain', path, ...json]);
      }
      for (const path of ['/a', '/followed/x']) await run(['fetch', path, ...json]);
      await run([
        'catalog',
        'import',
        'files',
        `http://u:${SECRETS.feedPassword}@${host}/?${SECRETS.feedQuery}`,
        '--prefix',
        '/p',
        ...json,
      ]);
      for (const words of ['importers list', 'catalog list', 'catalog list /', 'catalog refresh', 'sources list'])
        await run([...words.split(' '), ...json]);
      for (const words of ['sources refresh mirror', 'saves list', 'copies list', 'check-config'])
        await run([...words.split(' '), ...json]);
      await run(['check-config', ...json], { env: { ...mongodb, ...broker } });
      await run(['check-config', ...json], { env: { PULP_STREAMER_MONGODB_URL: `x${SECRETS.databaseUrl}` } });
    }
    await run(['check-config', '--print']);
    await run(['check-config', '--format', 'ini'], { env: { ...mongodb, ...broker } });
    await run(['check-config', '--deep']);
    await run(['check-config', '--migrate']);
    await run(['catalog', 'export']);

    const spans: string[] = [];
    const collector = await startFeed((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        spans.push(Buffer.concat(pieces).toString('latin1'));
        response.end('{}');
      });
    });
    const tracing = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRETS.collector}`,
    };
    const daemon = start(process.execPath, [MAIN, 'serve', '--config', site.config, '--log-level', 'DEBUG'], {
      env: { ...env, ...tracing },
    });
    const log: string[] = [];
    const url = await new Promise<string>((resolve) =>
      daemon.lines.subscribe((line) => {
        log.push(line);
        const { msg, listening } = JSON.parse(line);
        if (msg === 'ready') resolve(`http://${listening[0].replace(' port ', ':')}`);
      }),
    );
    const admin = `http://127.0.0.1:${adminPort}`;
    const viewer = new AbortController();
    const events = await fetch(`${admin}/events`, { signal: viewer.signal });
    const seen: string[] = [];
    const seeing = (async () => {
      for await (const piece of events.body ?? []) seen.push(Buffer.from(piece).toString());
    })().catch(() => {}); // ended by the signal
    const asked = `/nowhere?policy=${SECRETS.clientQuery};signature=${SECRETS.clientQuery}`;
    for (const path of ['/a', '/b', '/c', '/followed/x', asked, `/x;signature=${SECRETS.clientPath}`]) {
      const response = await fetch(url + path);
      said.push([path, JSON.stringify([...response.headers]) + (await response.text())]);
    }
    for (const path of ['/readyz', '/metrics', '/history', '/history?minutes=5'])
      said.push([path, await (await fetch(admin + path)).text()]);
    for (const words of [
      'status',
      'status --json',
      'doctor',
      'doctor --json',
      'client /followed',
      'explain /followed/x',
    ])
      await run(words.split(' '), { env: tracing });
    await run(['backup', join(home, 'backup.tar')]);
    expect(statSync(join(home, 'backup.tar')).mode & 0o777).toBe(0o600);
    await run(['restore', join(home, 'backup.tar')]);
    viewer.abort();
    await seeing;
    expect(seen.join('')).toContain('/followed/x');
    said.push(['/events', seen.join('')]);
    daemon.kill('SIGTERM');
    said.push(['serve', log.join('\n') + (await daemon.ended).stderr]);
    expect(spans.join('')).toContain('/followed/x');
    said.push(['spans', spans.join('')]);
    for (const path of ['/a', '/followed/x']) expect(log.join('\n')).toContain(`"path":"${path}"`);
    // Made to hold them: the catalog, and its log.
    said.push(...filesOf(site.stateDir).filter(([name]) => !/^catalog\.db/.test(name)));

    const keyLines = key.split('\n').filter((line) => line.length === 64);
    expect(keyLines.length).toBeGreaterThan(0);
    const forms = Object.entries(SECRETS).flatMap(([place, secret]) => formsOf(secret).map((form) => [place, form]));
    const all = [...forms, ...keyLines.map((line) => ['key', line])] as [string, string][];
    const found = said.flatMap(([what, text]) =>
      all.filter(([, form]) => text.includes(form)).map(([place]) => `${place} in ${what}`),
    );
    expect(found).toEqual([]);

    // The catalog has them: they were put where the others were not found.
    const catalog = filesOf(site.stateDir)
      .filter(([name]) => /^catalog\.db/.test(name))
      .map(([, text]) => text)
      .join('');
    const stored = ['password', 'proxyPassword', 'queryToken', 'header', 'otherHeader', 'credential', 'standardInput'];
    for (const place of [...stored, 'entryPassword', 'entryQuery', 'dataPassword', 'feedPassword', 'feedQuery'])
      expect({ place, isStored: catalog.includes(SECRETS[place] ?? '') }).toEqual({ place, isStored: true });
    expect((await run(['catalog', 'export', '--secrets'])).out).toContain(SECRETS.entryPassword);
  });
});
