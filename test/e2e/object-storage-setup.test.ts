import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { startOn } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { notInstalled } from '../support/not-installed.ts';
import { processes } from '../support/processes.ts';
import { BUCKET, describeObjects, objectServers } from '../support/s3-server.ts';
import { MAIN, makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();
const servers = objectServers(afterAll);
let started: ReturnType<typeof servers> | undefined;
/** One server for all tests, each of which has a prefix of its own. */
const objectsFor = async (name: string) => {
  started ??= servers();
  const objects = await started;
  objects.meddle(() => false);
  return { ...objects, settings: { ...objects.settings, save_url: `s3://copies/${name}` } };
};

/** As if it were not installed. */
const LACKING = notInstalled('@aws-sdk/');

const CONTENT = someBytes(300_000);

const siteOf = async (settings: Readonly<Record<string, string | number>>) => {
  const asked: string[] = [];
  const feed = await startFeed(({ url = '' }, response) => {
    asked.push(url);
    response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
  });
  const site = makeSite(start, folder(), settings);
  await site.run('catalog', 'add', '/a.rpm', `${feed.url}/a.rpm`, '--checksum', `sha256:${digestOf(CONTENT)}`);
  return { site, asked };
};

describeObjects('a site with copies in an object store', () => {
  it('reaches it over TLS, with the authority that is configured, and no other', async () => {
    const { settings, url } = await objectsFor('tls');
    const { authority, stranger, server } = await createCertificates();
    const { port } = new URL(url);
    const tls = createServer(server, (client) => {
      const upstream = connect(Number(port), '127.0.0.1');
      client.on('error', () => {}).on('close', () => upstream.destroy());
      upstream.on('error', () => {}).on('close', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    const front = await startOn(tls);
    const siteTrusting = (ca: string) => {
      const file = join(folder(), 'ca.pem');
      writeFileSync(file, ca);
      return siteOf({ ...settings, save_endpoint: `https://127.0.0.1:${front.port}`, save_ca: file });
    };
    try {
      const { site, asked } = await siteTrusting(authority.cert);
      const daemon = await site.serve();
      await askWhole(`${daemon.url}/a.rpm`);
      await daemon.logged('saved', { path: '/a.rpm' });
      expect((await askWhole(`${daemon.url}/a.rpm`)).headers['cache-status']).toBe('pulp-streamer;hit');
      expect(asked).toEqual(['/a.rpm']);

      const { site: misled } = await siteTrusting(stranger.cert);
      const other = await misled.serve();
      expect((await askWhole(`${other.url}/a.rpm`)).sha256).toBe(digestOf(CONTENT));
      const [degraded] = await other.logged('degraded, serving continues', { subject: 'object store' });
      expect(degraded?.problem).toMatch(/certificate/);
    } finally {
      await front.close();
    }
  });

  it('is not asked to save what the store refuses to take: the feed is asked once', async () => {
    const objects = await objectsFor('refusing');
    objects.meddle(({ method }, response) => {
      if (method !== 'PUT') return false;
      response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>read only</Message></Error>');
      return true;
    });
    const { site, asked } = await siteOf(objects.settings);
    const daemon = await site.serve();
    expect((await askWhole(`${daemon.url}/a.rpm`)).sha256).toBe(digestOf(CONTENT));
    const [failed] = await daemon.logged('save failed, retrying', {
      error: /the object store takes nothing: .*read only/,
    });
    expect(failed?.path).toBe('/a.rpm');
    expect(asked).toEqual(['/a.rpm']);

    objects.meddle(() => false);
    await site.run('saves', 'retry', '--all');
    await daemon.logged('saved', { path: '/a.rpm' });
    expect(asked).toEqual(['/a.rpm', '/a.rpm']);
    expect((await askWhole(`${daemon.url}/a.rpm`)).headers['cache-status']).toBe('pulp-streamer;hit');
  });

  it('may have a store without conditional requests', async () => {
    const objects = await objectsFor('unconditional');
    let refused = 0;
    objects.meddle(({ headers }, response) => {
      if (headers['if-none-match'] === undefined) return false;
      refused += 1;
      response.writeHead(501).end('<Error><Code>NotImplemented</Code><Message>no conditions</Message></Error>');
      return true;
    });
    const { site } = await siteOf(objects.settings);
    const daemon = await site.serve();
    await askWhole(`${daemon.url}/a.rpm`);
    await daemon.logged('saved', { path: '/a.rpm' });
    expect((await askWhole(`${daemon.url}/a.rpm`)).headers['cache-status']).toBe('pulp-streamer;hit');
    expect(refused).toBe(1);
  });

  it('may have several processes that answer, and its commands explain and fetch', async () => {
    const objects = await objectsFor('workers');
    const { site, asked } = await siteOf({ ...objects.settings, workers: 2 });
    const daemon = await site.serve();
    for (const _ of [1, 2, 3]) {
      expect((await askWhole(`${daemon.url}/a.rpm`)).sha256).toBe(digestOf(CONTENT));
      await daemon.logged('saved', { path: '/a.rpm' });
    }
    expect(asked).toEqual(['/a.rpm']);
    expect(await site.run('explain', '/a.rpm')).toContain('s3://copies/workers/');
    const file = join(folder(), 'a.rpm');
    await site.run('fetch', '/a.rpm', '--output', file);
    expect(digestOf(readFileSync(file))).toBe(digestOf(CONTENT));
    expect(asked).toEqual(['/a.rpm']);
    const { status, stderr } = await site.start('export-bundle', join(folder(), 'bundle')).ended;
    expect([status, stderr]).toEqual([1, expect.stringContaining('save_url: bundles carry copies of a folder')]);
  });

  it('is shown by status if it does not answer one of several processes', async () => {
    const objects = await objectsFor('outage');
    const { site } = await siteOf({ ...objects.settings, workers: 2 });
    const daemon = await site.serve();
    const status = async () => {
      const { status, stdout } = await site.start('status').ended;
      return [status, stdout.toString()] as const;
    };
    expect(await status()).toEqual([0, expect.not.stringContaining('object store')]);
    objects.meddle((_, response) => {
      response.writeHead(503).end();
      return true;
    });
    await askWhole(`${daemon.url}/a.rpm`);
    await daemon.logged('degraded, serving continues', { subject: 'object store' });
    const [code, text] = await status();
    expect(code).toBe(1);
    expect(text).toMatch(/^degraded\n {2}object store: s3:\/\/copies\/outage\/.*503.* \(worker [12]\)\n\n/);
    objects.meddle(() => false);
    await until(async () => {
      await site.run('saves', 'retry', '--all');
      return (await status())[0] === 0;
    });
  });

  it('keeps nothing of a transfer that does not end', async () => {
    const objects = await objectsFor('broken');
    const content = someBytes(20 * 1024 * 1024);
    const feed = await startFeed((_, response) => {
      response.writeHead(200, { 'Content-Length': content.length });
      response.write(content.subarray(0, 17 * 1024 * 1024), () => response.destroy());
    });
    const site = makeSite(start, folder(), { ...objects.settings, attempts: 1 });
    await site.run('catalog', 'add', '/b.rpm', `${feed.url}/b.rpm`, '--checksum', `sha256:${digestOf(content)}`);
    const daemon = await site.serve();
    await expect(askWhole(`${daemon.url}/b.rpm`)).rejects.toThrow();
    const sees = (what: RegExp) => objects.asked.some((one) => what.test(one));
    await until(() => sees(/^POST .*broken.*uploads=/) && sees(/^DELETE .*broken.*uploadId=/));
    const list = new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'broken/' });
    await until(async () => ((await objects.client.send(list)).Uploads ?? []).length === 0);
    expect(objects.names().filter((name) => name.startsWith('broken/'))).toEqual([]);
  });

  it('is told by check-config --deep and doctor what the store would refuse', async () => {
    const objects = await objectsFor('trials');
    const { site } = await siteOf(objects.settings);
    expect(await site.run('check-config', '--deep')).toMatch(/object store s3:\/\/copies\/trials/);
    expect(objects.names().filter((name) => name.startsWith('trials/'))).toEqual([]);
    const { site: wrong } = await siteOf({ ...objects.settings, save_url: 's3://another-bucket' });
    const deep = await wrong.start('check-config', '--deep').ended;
    expect([deep.status, deep.stdout + deep.stderr]).toEqual([1, expect.stringContaining('NoSuchBucket')]);
    const { stdout } = await wrong.start('doctor').ended;
    expect(stdout.toString()).toMatch(/object store s3:\/\/another-bucket.*NoSuchBucket.*\n.*correct save_url/);
  });

  it('is refused without its client, and says how that is installed', async () => {
    const { settings } = await objectsFor('lacking');
    const { site } = await siteOf(settings);
    for (const command of [['serve'], ['check-config'], ['copies', 'list']])
      expect(
        await start(process.execPath, ['--import', LACKING, MAIN, ...command, '--config', site.config]).ended,
      ).toMatchObject({
        status: 78,
        stderr: expect.stringContaining(
          'save_url: the client of object stores is not installed; expected npm install @aws-sdk/client-s3\n',
        ),
      });
    // Without a bucket it is neither needed nor loaded.
    const { site: plain } = await siteOf({});
    const fetched = [MAIN, 'fetch', '/a.rpm', '--config', plain.config, '--output', join(folder(), 'a.rpm')];
    expect(await start(process.execPath, ['--import', LACKING, ...fetched]).ended).toMatchObject({ status: 0 });
  });

  it('is refused with half a key, and with an authority that is none', async () => {
    const { settings } = await objectsFor('refused');
    const { save_secret_key: _, ...half } = settings as Readonly<Record<string, string>>;
    const { site } = await siteOf(half);
    expect(await site.start('check-config').ended).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('save_secret_key: is empty; expected both save_access_key and save_secret_key'),
    });
    const { site: other } = await siteOf({ ...settings, save_ca: '/nowhere.pem' });
    expect(await other.start('check-config').ended).toMatchObject({
      status: 78,
      stderr: expect.stringContaining(
        'save_ca: /nowhere.pem: expected certificates of authorities (PEM); found no such',
      ),
    });
  });
});
