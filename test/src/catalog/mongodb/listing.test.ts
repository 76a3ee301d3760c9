import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { mongoListing } from '../../../../src/catalog/mongodb/listing.ts';
import { createCertificates } from '../../../support/certificates.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { describeMongo, type MongoServer, mongodb, serverName } from '../../../support/mongodb.ts';
import { processes } from '../../../support/processes.ts';
import { makeSite } from '../../../support/site.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

describeMongo(`what commands show of Pulp’s database (${serverName})`, () => {
  const start = processes();
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  let server: MongoServer;
  beforeAll(async () => {
    server = await mongo.server();
  });

  const open = async () => {
    const { name, pulp } = await mongo.database(server);
    const folder = newFolder();
    const [storage_dir, plugin_config_dir] = ['pulp', 'plugins'].map((one) => join(folder, one)) as [string, string];
    for (const made of [storage_dir, plugin_config_dir]) mkdirSync(made);
    const site = makeSite(start, folder, { mongodb_url: server.url + name, storage_dir, plugin_config_dir });
    /** What a command says, which has nothing to warn of. */
    const said = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await site.start(...args).ended;
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return stdout.toString();
    };
    return { name, pulp, folder, site, said };
  };
  const unit = (id: string) => ({ unit_id: id, unit_type_id: 'rpm' });

  it('are its entries, with the prefix that was asked for, and without the passwords of their URLs', async () => {
    const { pulp, said } = await open();
    const importer_id = await pulp.importer({});
    const D = 'ab'.repeat(32);
    const sum = { checksum: D, algorithm: 'sha256', data: { size: 7 } };
    const of = { importer_id, ...unit('u') };
    await pulp.entry({ path: '/pulp/rpm/b', url: 'https://me:s3cret@feed/b', ...of, ...sum });
    await pulp.entry({ path: '/pulp/rpm/a', url: 'https://feed/a?token=s3cret', ...of, revision: 2 });
    await pulp.entry({ path: '/pulp/rpms', url: 'https://feed/other', ...of });
    await pulp.broken('lazy_content_catalog', { path: '/pulp/rpm/c\u001b[2J', importer_id: 7 });
    const before = await pulp.state();

    expect(await said('catalog', 'list', '/pulp/rpm')).toBe(
      '/pulp/rpm/a\t-\thttps://feed/a?***\n' +
        '/pulp/rpm/b\t7\thttps://***@feed/b\n' +
        '/pulp/rpm/c\ufffd[2J\t-\tunusable: importer_id: Invalid input: expected string, received number; ' +
        'unit_id: Invalid input: expected string, received undefined; ' +
        'unit_type_id: Invalid input: expected string, received undefined; ' +
        'url: Invalid input: expected string, received undefined\n',
    );
    expect((await said('catalog', 'list')).split('\n')).toHaveLength(5);
    const json = JSON.parse(await said('catalog', 'list', '--json'));
    expect(json).toMatchObject([
      { path: '/pulp/rpm/a', url: 'https://feed/a?***', importer_id, revision: 2, replaced: true },
      { path: '/pulp/rpm/b', checksum: D, size: 7 },
      { problem: expect.stringContaining('importer_id') },
      { path: '/pulp/rpms' },
    ]);
    expect(await said('catalog', 'show', '/pulp/rpm/b')).toContain(`\nchecksum: ${D}\n`);
    expect(await pulp.state()).toEqual(before);
  });

  it('are its importers as they count now, with their number of entries and without their secrets', async () => {
    const { pulp, folder, said } = await open();
    const { client } = await createCertificates();
    const secrets = { ssl_client_key: client.key, basic_auth_password: 's3cret', proxy_password: 's3cret' };
    const feed = 'https://me:s3cret@feed/zoo/';
    const zoo = await pulp.importer({ feed, ssl_client_cert: client.cert, ...secrets, query_auth_token: 's3cret' });
    const broken = await pulp.importer({ proxy_port: 's3cret' }, 'broken', 'iso_importer');
    writeFileSync(
      join(folder, 'plugins/yum_importer.json'),
      '{"max_speed": "1000", "proxy_host": "http://u:s3cret@p"}',
    );
    for (const path of ['/a', '/b'])
      await pulp.entry({ path, importer_id: zoo, url: `https://feed${path}`, ...unit(path) });

    const keys =
      'max_speed,proxy_host,ssl_client_cert,ssl_client_key,basic_auth_password,proxy_password,query_auth_token';
    const [first = '', second = ''] = (await said('importers', 'list')).split('\n');
    const [id, repo, shown, settings, entries] = first.split('\t');
    expect([id, repo, shown, entries]).toEqual([zoo, 'zoo', 'https://***@feed/zoo/', '2']);
    expect(settings?.split(',').sort()).toEqual(keys.split(',').sort());
    expect(second).toMatch(new RegExp(`^${broken}\tbroken\t-\tunusable: importer ${broken}: proxy_port: .*\t0$`));

    const one = await said('importers', 'show', zoo);
    expect(one).toContain('ssl_client_cert: CN=first client, valid until ');
    expect(one).toContain('\nfeed: https://***@feed/zoo/\n');
    const json = await said('importers', 'list', '--json');
    expect(JSON.parse(json)).toMatchObject([
      { id: zoo, repo_id: 'zoo', importer_type_id: 'yum_importer', entries: 2, config: { ssl_client_key: '********' } },
      { id: broken, config: {}, problem: expect.stringContaining('proxy_port') },
    ]);
    for (const text of [first, second, one, json]) expect(text).not.toMatch(/s3cret|PRIVATE KEY/);
  });

  it('shows no private key, in whichever value Pulp was given it', async () => {
    const { pulp, said } = await open();
    const { client } = await createCertificates();
    const id = await pulp.importer({
      ssl_client_cert: `${client.cert.trim()}\n${client.key}`,
      ssl_ca_cert: client.key.slice(0, -40), // cut off while it was copied
    });
    const shown = [
      await said('importers', 'list'),
      await said('importers', 'list', '--json'),
      await said('importers', 'show', id),
      await said('importers', 'show', id, '--json'),
    ];
    const [, , inWords, inJson] = shown;
    for (const text of shown) expect(text).not.toMatch(/PRIVATE KEY/);
    for (const line of client.key.split('\n').slice(1, -2)) expect(shown.join()).not.toContain(line);
    expect(inWords).toContain('ssl_client_cert: CN=first client, valid until ');
    expect(JSON.parse(inJson ?? '').config.ssl_client_cert.trim()).toBe(`${client.cert.trim()}\n********`);
  });

  it('reads no certificates outside of Pulp’s folder, whatever the name of a repository', async () => {
    const { pulp, folder, said } = await open();
    const { authority } = await createCertificates();
    const pki = join(folder, 'elsewhere-yum_importer/pki');
    mkdirSync(pki, { recursive: true });
    mkdirSync(join(folder, 'pulp/importers'));
    writeFileSync(join(pki, 'ca.crt'), authority.cert);
    const id = await pulp.importer({ ssl_ca_cert: 'a file' }, '../../elsewhere');
    expect(await said('importers', 'show', id)).toMatch(/^unusable: importer \w+: repo_id: /m);
  });

  it('needs no catalog of the streamer’s own, and none is made', async () => {
    const { pulp, site, said } = await open();
    await pulp.importer({});
    expect((await said('catalog', 'export')) + (await said('catalog', 'list', '--json'))).toBe('[]\n');
    const { status, stderr } = await site.start('importers', 'show', 'f'.repeat(24)).ended;
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `error: importer ${'f'.repeat(24)} is not in the catalog\n`,
    });
    const { stdout } = await site.start('check-config', '--print').ended;
    expect(stdout.toString()).toMatch(/^dispatch +deferred +.*mongodb_url$/m);
    expect(() => mkdirSync(site.stateDir)).not.toThrow();
  });

  it('is an error where the database is down', async () => {
    const site = makeSite(start, newFolder(), { mongodb_url: 'mongodb://127.0.0.1:1/x', mongodb_timeout: '200ms' });
    const { status, stdout, stderr } = await site.start('catalog', 'list').ended;
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: MongoDB at 127\.0\.0\.1:1: /);
  });

  it('is read in batches, as far as it is wanted', async () => {
    const { name, pulp, folder } = await open();
    await pulp.entries(4_500, '/e/%05d', 'http://feed/%d');
    const database = connectMongo(databaseSettings({ url: server.url + name }), 20_000);
    let asked = 0;
    const ask: typeof database.ask = (question) => {
      asked += 1;
      return database.ask(question);
    };
    const folders = { storageDir: folder, pluginConfigDir: folder };
    const listing = mongoListing({ ...database, ask }, { ...folders, maxTime: 20_000 });
    const paths: string[] = [];
    for await (const { path } of listing.entries('/e')) {
      paths.push(path);
      // The cursor, and batches of a thousand.
      expect(asked).toBe(1 + Math.ceil(paths.length / 1_000));
    }
    expect(paths).toEqual(Array.from({ length: 4_500 }, (_, index) => `/e/${String(index).padStart(5, '0')}`));
    asked = 0;
    for await (const { path } of listing.entries('/e')) if (path === '/e/00000') break;
    expect(asked).toBe(2);
    await listing.close();
  });
});
