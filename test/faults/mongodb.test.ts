import { afterEach, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { closedPort } from '../support/feeds.ts';
import { describeMongoServer, type MongoServer, mongodb, serverName } from '../support/mongodb.ts';
import { processes } from '../support/processes.ts';
import { startReplicaSet } from '../support/replica-set.ts';
import { makeSite } from '../support/site.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { ask } from './client.ts';
import { seaOfBytes } from './random.ts';
import { checksumOf, QUICK, startFeeds } from './scene.ts';

const start = processes();
const folder = temporaryFolders();
const MEBIBYTE = 1 << 20;
const content = seaOfBytes(100_000, 10);
const large = seaOfBytes(16 * MEBIBYTE, 11);

/**
 * Milliseconds that the daemon waits for one answer of the database. A request asks more than once;
 * it counts as hanging after five times that.
 */
const TIMEOUT = 1_000;

const CLIENTS = 8;
const LARGE = '/content/large.rpm';
const PATHS = Array.from({ length: 40 }, (_, number) => `/content/${number}.rpm`);

describeMongoServer(`Pulp’s database (${serverName})`, () => {
  const mongo = mongodb();
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** A daemon whose catalog is in this database, with clients that send requests without pause. */
  const open = async (server: MongoServer, urlOf: (name: string) => string, timeout = TIMEOUT) => {
    const { name, pulp } = await mongo.database(server);
    const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
    closing.push(feeds.close);
    const importer_id = await pulp.importer({});
    for (const path of [...PATHS, LARGE]) {
      const bytes = path === LARGE ? large : content;
      feeds.plain.resources.set(path, { bytes, framing: 'length', faults: [] });
      const checksum = checksumOf(bytes).value;
      const unit = { unit_id: path, unit_type_id: 'rpm', url: feeds.plain.url + path };
      await pulp.entry({ path, importer_id, ...unit, checksum, algorithm: 'sha256' });
    }
    const adminPort = await closedPort();
    const site = makeSite(start, folder(), {
      ...QUICK,
      mongodb_url: urlOf(name),
      mongodb_timeout: `${timeout}ms`,
      admin_port: adminPort,
      dispatch: 'none',
    });
    return {
      site,
      /** The status of `/readyz`. */
      ready: async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status,
    };
  };

  const load = (url: string, timeout = TIMEOUT) => {
    const seen: { readonly status: number; readonly right: boolean }[] = [];
    let going = true;
    const client = async (first: number) => {
      for (let number = first; going; number += 1) {
        const response = await fetch(url + PATHS[number % PATHS.length], { signal: AbortSignal.timeout(5 * timeout) });
        const body = Buffer.from(await response.arrayBuffer());
        const { status, headers } = response;
        const honest = status === 503 && headers.has('retry-after') && headers.get('cache-control') === 'no-store';
        seen.push({ status, right: status === 200 ? body.equals(content) : honest });
      }
    };
    const over = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index * 5)));
    return {
      /** Resolves once a request that began from now on had this status. */
      comesTo: async (status: number) => {
        const from = seen.length + CLIENTS;
        await Promise.race([until(() => seen.slice(from).some((one) => one.status === status)), over]);
      },
      stop: async () => {
        going = false;
        await over;
        return { statuses: new Set(seen.map(({ status }) => status)), wrong: seen.filter(({ right }) => !right) };
      },
    };
  };

  it('stopped, started, frozen and thawed under load makes no request hang, and does not affect running transfers', async () => {
    const server = await mongo.server();
    const { site, ready } = await open(server, (name) => server.url + name);
    const daemon = await site.serve();
    const codes: unknown[] = [];
    daemon.log.subscribe(({ code }) => codes.push(code));
    const clients = load(daemon.url);
    await clients.comesTo(200);
    expect(await ready()).toBe(200);

    const whileDown = Promise.withResolvers<void>();
    let begun = false;
    const during = () => {
      begun = true;
      return whileDown.promise;
    };
    const running = ask(daemon.url + LARGE, { kind: 'waits', after: 1_000, during });
    await until(() => begun);
    await server.stop();
    await clients.comesTo(503);
    whileDown.resolve();
    expect(await running).toMatchObject({ kind: 'clean', sha256: checksumOf(large).value });
    while ((await ready()) !== 503);

    await server.start();
    await clients.comesTo(200);
    while ((await ready()) !== 200);

    server.freeze();
    await clients.comesTo(503);
    server.thaw();
    await clients.comesTo(200);

    expect(await clients.stop()).toEqual({ statuses: new Set([200, 503]), wrong: [] });
    expect(codes).not.toContain('INTERNAL');
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  it('that is absent at first prevents only answers, until it is available', async () => {
    const server = await mongo.server();
    const { site, ready } = await open(server, (name) => server.url + name);
    await server.stop();
    const daemon = await site.serve();
    expect(await ask(daemon.url + PATHS[0])).toMatchObject({ kind: 'refused', status: 503, noStore: true });
    expect(await ready()).toBe(503);
    await server.start();
    await daemon.logged('MongoDB available');
    expect(await ready()).toBe(200);
    expect(await ask(daemon.url + PATHS[0])).toMatchObject({ kind: 'clean', sha256: checksumOf(content).value });
    expect(await ask(`${daemon.url}/unknown`)).toMatchObject({ kind: 'refused', status: 404, noStore: true });
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  it('is still read when the primary of its replica set is lost under load', async () => {
    const server = await mongo.server();
    const members = await startReplicaSet(server);
    closing.push(...members.map(({ stop }) => stop));
    const hosts = members.map(({ host }) => host).join(',');
    const { site } = await open(server, (name) => `mongodb://${hosts}/${name}?replicaSet=rs0`, 10 * TIMEOUT);
    const daemon = await site.serve();
    const clients = load(daemon.url, 10 * TIMEOUT);
    await clients.comesTo(200);
    await members[0]?.stop();
    await clients.comesTo(200);
    members[1]?.become('primary');
    await clients.comesTo(200);
    expect(await clients.stop()).toEqual({ statuses: new Set([200]), wrong: [] });
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });
});
