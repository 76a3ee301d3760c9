import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ObjectId } from 'mongodb';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { someBytes } from '../support/collect.ts';
import { describeMongo, mongodb, serverName } from '../support/mongodb.ts';
import { type PulpSite, startPulpSite } from '../support/pulp-site.ts';
import { packagesIn } from '../support/pulp2/packages.ts';
import { PEM_FORMS, PEM_PLACES, type Pems, pemsOf } from '../support/pulp2/pems.ts';
import type { Pulp2 } from '../support/pulp2/pulp2.ts';
import { closedFeeds, demanding } from '../support/site-feeds.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const CONTENT = someBytes(10_000);

/** Serves the content, and names the client. */
const serve: RequestListener = (request, response) => {
  const client = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
  response.writeHead(200, { 'Content-Length': CONTENT.length, 'X-Client': String(client) }).end(CONTENT);
};

describeMongo(`importers of a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  const startFeed = closedFeeds();
  let made: Certificates;
  let pulp: Pulp2;
  let site: PulpSite;
  let publish: ReturnType<typeof packagesIn>;
  beforeAll(async () => {
    made = await createCertificates();
    const server = await mongo.server();
    const database = await mongo.database(server);
    pulp = database.pulp;
    publish = packagesIn(pulp, CONTENT);
    site = await startPulpSite(newFolder(), server, database.name);
  });
  afterAll(() => site.daemon.stop());

  /** The name by which the feed knows the streamer, or the reason why the file cannot be served. */
  const known = async (path: string): Promise<string> => {
    const linesBefore = site.log.length;
    const response = await fetch(site.url + path);
    if (response.ok) {
      expect(Buffer.from(await response.arrayBuffer()).equals(CONTENT)).toBe(true);
      return String(response.headers.get('x-client'));
    }
    // The daemon would wait for its reader when it stops.
    await response.body?.cancel();
    const line = () => site.log.slice(linesBefore).find((one) => one.msg === 'request' && one.path === path);
    await until(() => line() !== undefined);
    return `${response.status} ${line()?.error}`;
  };

  let repositories = 0;
  /** An importer of a separate repository, and a file of its feed. */
  const open = async (configOf: (pems: Pems) => object) => {
    const feed = await startFeed(serve, demanding(made));
    const repo = `repository-${++repositories}`;
    const folder = join(site.storageDir, 'importers', `${repo}-yum_importer`, 'pki');
    mkdirSync(folder, { recursive: true });
    const importer = await pulp.importer(configOf(pemsOf(made)), repo);
    const { path } = await publish({ url: `${feed.url}/bear.rpm`, importer });
    return { feed, folder, importer, path };
  };
  const asTexts = (pems: Pems) => Object.fromEntries(PEM_PLACES.map(([name, key]) => [key, pems[name]]));
  /** A configuration without the texts. */
  const IN_FILES = Object.fromEntries(PEM_PLACES.map(([, key]) => [key, 'in the file']));
  const writeAll = (folder: string, pems: Pems) => {
    for (const [name, , file] of PEM_PLACES) writeFileSync(join(folder, file), pems[name]);
  };

  it.each(PEM_FORMS)('may have certificates and keys %s, as texts and as files', async (_, spell) => {
    const spelt = spell(pemsOf(made), made);
    const texts = await open(() => asTexts(spelt));
    expect(await known(texts.path)).toBe('first client');
    const files = await open(() => IN_FILES);
    writeAll(files.folder, spelt);
    expect(await known(files.path)).toBe('first client');
  });

  it('may change every text while the daemon runs', async () => {
    const { importer, path } = await open(asTexts);
    const set = (config: object) => pulp.changeImporter(importer, config);
    expect(await known(path)).toBe('first client');

    const { cert, key } = made.otherClient;
    await set({ ssl_client_cert: cert });
    expect(await known(path)).toMatch(/^502 .*the client certificate and key cannot be used/);
    await set({ ssl_client_key: key });
    expect(await known(path)).toBe('second client');

    await set({ ssl_ca_cert: made.stranger.cert });
    expect(await known(path)).toMatch(/^502 .*certificate/);
    await set({ ssl_validation: false });
    expect(await known(path)).toBe('second client');
    await set({ ssl_ca_cert: made.authority.cert, ssl_validation: null });
    expect(await known(path)).toBe('second client');

    await pulp.update('repo_importers', new ObjectId(importer), { $unset: { 'config.ssl_client_key': '' } });
    expect(await known(path)).toMatch(/^502 .*demand/);
  });

  it('may change every file while the daemon runs, in its place or for another', async () => {
    const { folder, path } = await open(() => IN_FILES);
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
    expect(await known(path)).toMatch(/^502 .*the CA text holds no PEM certificate/);
    writeAll(folder, pemsOf(made));
    expect(await known(path)).toBe('first client');

    const { cert, key } = made.otherClient;
    write('client.crt', cert);
    expect(await known(path)).toMatch(/^502 .*the client certificate and key cannot be used/);
    write('new', key);
    renameSync(join(folder, 'new'), join(folder, 'client.key'));
    expect(await known(path)).toBe('second client');

    write('ca.crt', '');
    expect(await known(path)).toMatch(/^502 .*the CA text holds no PEM certificate/);
    write('ca.crt', made.stranger.cert);
    expect(await known(path)).toMatch(/^502 .*certificate/);
    // Files that were joined without a line end between them.
    write('ca.crt', made.stranger.cert.trimEnd() + made.authority.cert);
    expect(await known(path)).toBe('second client');

    rmSync(join(folder, 'client.key'));
    expect(await known(path)).toMatch(/^502 .*the client certificate and key cannot be used/);
    write('client.key', key);
    expect(await known(path)).toBe('second client');
  });

  it('use the texts if there are any, and otherwise the files', async () => {
    const { folder, importer, path } = await open(asTexts);
    writeAll(folder, { ...pemsOf(made), ...made.otherClient });
    expect(await known(path)).toBe('first client');
    await pulp.changeImporter(importer, IN_FILES);
    expect(await known(path)).toBe('second client');
    await pulp.changeImporter(importer, asTexts(pemsOf(made)));
    expect(await known(path)).toBe('first client');
  });

  it('use the current settings of their type for each request', async () => {
    const { folder, path } = await open(() => ({}));
    expect(await known(path)).toMatch(/^502 .*certificate/);
    mkdirSync(join(site.folder, 'plugins'), { recursive: true });
    const write = (config: object) =>
      writeFileSync(join(site.folder, 'plugins', 'yum_importer.json'), JSON.stringify(config));
    write(asTexts(pemsOf(made)));
    expect(await known(path)).toBe('first client');
    writeAll(folder, { ...pemsOf(made), ...made.otherClient });
    write(IN_FILES);
    expect(await known(path)).toBe('second client');
    write({});
    expect(await known(path)).toMatch(/^502 .*certificate/);
  });
});
