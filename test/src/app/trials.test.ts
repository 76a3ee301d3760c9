import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Trial, tryAll } from '../../../src/app/trials/index.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { createCertificates } from '../../support/certificates.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { describeMongo, mongodb, serverName } from '../../support/mongodb.ts';
import { anEntry } from '../../support/pipeline.ts';
import { freePorts } from '../../support/ports.ts';
import { itWithBroker, rabbitMq } from '../../support/rabbitmq.ts';
import { closedFeeds, demanding } from '../../support/site-feeds.ts';

const newFolder = temporaryFolders();
const startFeed = closedFeeds();
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Tries with an empty state folder and these settings; `{folder}` stands for the folder above. */
const trialsOf = async (flags: Readonly<Record<string, string>> = {}, folder = newFolder()) => {
  const usual = {
    port: '0',
    interfaces: '127.0.0.1',
    stateDir: join(folder, 'state'),
    contentSourcesDir: join(folder, 'conf.d'),
  };
  const trials: Trial[] = [];
  for await (const trial of tryAll(loadSettings({ files: [], flags: { ...usual, ...flags } }).settings))
    trials.push(trial);
  const shown = trials.map(({ what, found, problem }) => ({ what, found, problem }));
  return shown.map((trial) => JSON.parse(JSON.stringify(trial).replaceAll(folder, '{folder}')) as Trial);
};

/** The trials whose subject contains this text. */
const about = (trials: readonly Trial[], what: string) => trials.filter((trial) => trial.what.includes(what));

const occupy = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  ending.push(() => server.close());
  return (server.address() as AddressInfo).port;
};

describe('trials of', () => {
  it('ports: one that is taken, one that is free and free again afterwards', async () => {
    const taken = await occupy();
    const [free] = await freePorts(1);
    const what = `port ${taken} on 127.0.0.1`;
    expect(about(await trialsOf({ port: String(taken) }), 'port')).toEqual([
      { what, problem: 'it is taken, by a running daemon or by another program' },
    ]);
    for (const _ of [1, 2])
      expect(about(await trialsOf({ port: String(free) }), 'port')).toEqual([{ what: `port ${free} on 127.0.0.1` }]);
  });

  it('ports: two listeners with the same port', async () => {
    const [port] = await freePorts(1);
    const trials = about(await trialsOf({ port: String(port), adminPort: String(port) }), `${port} on 127.0.0.1`);
    expect(trials.map(({ problem }) => problem !== undefined)).toEqual([false, true]);
  });

  it('folders: there, not yet there, impossible', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'state'));
    writeFileSync(join(folder, 'file'), '');
    const flags = {
      saveDir: join(folder, 'a/b'),
      catalog: join(folder, 'file/c.db'),
      contentSourcesDir: join(folder, 'file'),
    };
    expect(about(await trialsOf(flags, folder), 'folder {folder}')).toEqual([
      { what: 'folder {folder}/state, to write' },
      { what: 'folder {folder}/file, to write', problem: '{folder}/file is not a folder' },
      { what: 'folder {folder}/a/b, to write', found: 'not there yet, can be made' },
      { what: 'folder {folder}/file, to read', problem: '{folder}/file is not a folder' },
    ]);
  });

  it('an embedded catalog that is something else', async () => {
    const folder = newFolder();
    const catalog = join(folder, 'catalog.db');
    writeFileSync(catalog, 'no database at all'.repeat(100));
    expect(about(await trialsOf({ catalog }, folder), 'catalog {folder}')).toEqual([
      { what: 'catalog {folder}/catalog.db', problem: expect.stringContaining('file is not a database') },
    ]);
  });

  it('feeds: each repository that is followed', async () => {
    const folder = newFolder();
    const feed = await startFeed((request, response) =>
      response.writeHead(request.url?.startsWith('/there/') ? 200 : 404).end(),
    );
    const file = join(folder, 'catalog.db');
    const catalog = openSqliteCatalog(file);
    const importerId = catalog.importers.add({ config: {} }).id;
    for (const name of ['there', 'typo'])
      catalog.repositories.save({
        ...{
          prefix: `/${name}`,
          importerId,
          format: 'yum',
          base: `${feed.url}/${name}/`,
          selection: {},
          strict: false,
        },
        ...{ packages: 0, metadata: 0, succeeded: 0, attempted: 0, follows: true },
      });
    catalog.close();
    const what = (name: string) => `feed of importer ${importerId}, ${feed.url}/${name}/repodata/repomd.xml`;
    expect(about(await trialsOf({ catalog: file }, folder), 'feed')).toEqual(
      expect.arrayContaining([
        { what: what('there') },
        { what: what('typo'), problem: expect.stringContaining('answered 404') },
      ]),
    );
  });

  it('feeds: one entry of each importer, with its credentials', async () => {
    const made = await createCertificates();
    const { authority, client } = made;
    const feed = await startFeed((_, response) => response.end('bytes'), demanding(made));
    const refusing = await startFeed((_, response) => response.writeHead(403).end());
    const folder = newFolder();
    const file = join(folder, 'catalog.db');
    const catalog = openSqliteCatalog(file);
    const own = { ssl_ca_cert: authority.cert, ssl_client_cert: client.cert, ssl_client_key: client.key };
    const [good, bad, none] = [own, {}, { feed: 'http://unused/' }].map(
      (config) => catalog.importers.add({ config }).id,
    );
    const add = (path: string, url: string, importerId = '') =>
      catalog.entries.add({ ...anEntry({ path, url, importerId, unitId: path }) });
    add('/a', `${feed.url}/a?token=s3cret`, good);
    add('/b', `${feed.url}/b`, good);
    add('/c', `${refusing.url}/c`, bad);
    catalog.close();

    expect(about(await trialsOf({ catalog: file }, folder), 'feed')).toEqual(
      expect.arrayContaining([
        { what: `feed of importer ${good}, ${feed.url}/a?***` },
        { what: `feed of importer ${bad}, ${refusing.url}/c`, problem: expect.stringContaining('answered 403') },
      ]),
    );
    expect(none).toBeDefined();
    expect(feed.requests.map(({ url }) => url)).toEqual(['/a?token=s3cret']);
  });

  it('alternate sources: what each type has, by its descriptor', async () => {
    const feed = await startFeed((request, response) =>
      response.writeHead(request.url === '/a/repodata/repomd.xml' ? 200 : 404).end(),
    );
    const [closed] = await freePorts(1);
    const folder = newFolder();
    mkdirSync(join(folder, 'conf.d'));
    const source = (id: string, type: string, url: string, more = '') =>
      `[${id}]\nenabled: 1\ntype: ${type}\nbase_url: ${url}\n${more}\n`;
    writeFileSync(
      join(folder, 'conf.d/a.conf'),
      [
        source('good', 'yum', feed.url, 'paths: a b'),
        source('wrong', 'files', feed.url),
        source('flat', 'deb', feed.url),
        source('away', 'yum', `http://127.0.0.1:${closed}`),
        source('disk', 'files', `file://${folder}`),
      ].join(''),
    );
    writeFileSync(join(folder, 'PULP_MANIFEST'), '');
    const trials = about(await trialsOf({}, folder), 'alternate source');
    expect(trials.toSorted((a, b) => (a.what < b.what ? -1 : 1))).toEqual([
      {
        what: `alternate source away, http://127.0.0.1:${closed}/repodata/repomd.xml`,
        problem: expect.stringContaining('ECONNREFUSED'),
      },
      { what: 'alternate source disk, file://{folder}/PULP_MANIFEST' },
      { what: `alternate source flat, ${feed.url}/Release`, found: 'answers 404' },
      { what: `alternate source good, ${feed.url}/a/repodata/repomd.xml` },
      {
        what: `alternate source good, ${feed.url}/b/repodata/repomd.xml`,
        problem: expect.stringContaining('answered 404'),
      },
      { what: `alternate source wrong, ${feed.url}/PULP_MANIFEST`, problem: expect.stringContaining('answered 404') },
    ]);
  });

  it('a broker that is not there, and none where no tasks are sent', async () => {
    const [closed] = await freePorts(1);
    const brokerUrl = `amqp://u:s3cret@127.0.0.1:${closed}/x`;
    expect(about(await trialsOf({ dispatch: 'celery', brokerUrl }), 'broker')).toEqual([
      { what: `broker 127.0.0.1:${closed} vhost x`, problem: expect.stringContaining('ECONNREFUSED') },
    ]);
    expect(about(await trialsOf({ brokerUrl }), 'broker')).toEqual([]);
  });

  it('a database that is not there', async () => {
    const [closed] = await freePorts(1);
    const flags = { catalogType: 'mongodb', databaseSeeds: `127.0.0.1:${closed}`, mongodbTimeout: '1s' };
    expect(about(await trialsOf(flags), 'database')).toEqual([
      { what: 'database', problem: expect.stringContaining(`MongoDB at 127.0.0.1:${closed}: `) },
    ]);
  });

  describe('a broker', () => {
    const broker = rabbitMq();

    itWithBroker('that lets us in, and one that does not', async () => {
      const { url } = broker();
      const stranger = Object.assign(new URL(url), { username: 'nobody', password: 's3cret' }).href;
      const trials = about(await trialsOf({ dispatch: 'celery', brokerUrl: `${url};${stranger}` }), 'broker');
      expect(trials.map(({ problem }) => problem)).toEqual([undefined, expect.stringContaining('ACCESS_REFUSED')]);
    });
  });
});

describeMongo(`trials of a site of Pulp 2’s (${serverName})`, () => {
  const mongo = mongodb();

  it('its database, and the feeds of its importers', async () => {
    const server = await mongo.server();
    const { name, pulp } = await mongo.database(server);
    const feed = await startFeed((request, response) =>
      response.writeHead(request.url === '/zoo/repodata/repomd.xml' ? 200 : 404).end(),
    );
    await pulp.importer({ feed: `${feed.url}/zoo` });
    await pulp.importer({ feed: `${feed.url}/isos/` }, 'isos', 'iso_importer');
    await pulp.importer({ feed: `${feed.url}/other` }, 'other', 'puppet_importer');
    await pulp.importer({ feed: `${feed.url}/odd`, proxy_port: 'many' }, 'odd');
    await pulp.importer({}, 'uploads');
    const before = await pulp.state();
    const trials = await trialsOf({
      catalogType: 'mongodb',
      mongodbUrl: server.url,
      databaseName: name,
      storageDir: newFolder(),
    });
    expect(about(trials, 'database')).toEqual([{ what: 'database' }]);
    expect(await pulp.state()).toEqual(before);
    expect(about(trials, 'feed').toSorted((a, b) => (a.what < b.what ? -1 : 1))).toEqual([
      {
        what: `feed of repository isos, ${feed.url}/isos/PULP_MANIFEST`,
        problem: expect.stringContaining('answered 404'),
      },
      {
        what: `feed of repository odd, ${feed.url}/odd/repodata/repomd.xml`,
        problem: expect.stringContaining('proxy_port'),
      },
      { what: `feed of repository other, ${feed.url}/other`, found: 'answers 404' },
      { what: `feed of repository zoo, ${feed.url}/zoo/repodata/repomd.xml` },
    ]);
  });
});
