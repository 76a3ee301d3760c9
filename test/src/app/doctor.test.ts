import { chmodSync, chownSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checkup } from '../../../src/app/doctor/checkup.ts';
import type { Asked } from '../../../src/app/doctor/daemon.ts';
import { examine } from '../../../src/app/doctor/examine.ts';
import type { Status } from '../../../src/app/status.ts';
import { version } from '../../../src/app/version.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { settingsJson } from '../../../src/config/print.ts';
import { createCertificates } from '../../support/certificates.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { itAsRoot, NOBODY } from '../../support/nobody.ts';
import { anEntry } from '../../support/pipeline.ts';
import { closedFeeds } from '../../support/site-feeds.ts';
import { tinyDisk } from '../../support/tiny-disk.ts';

const newFolder = temporaryFolders();
const startFeed = closedFeeds();

/** A site in a folder, with a configuration file. */
const aSite = (lines: readonly string[] = []) => {
  const folder = newFolder();
  const config = join(folder, 'streamer.conf');
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  const usual = ['port: 0', 'interfaces: 127.0.0.1', `state_dir: ${stateDir}`, `content_sources_dir: ${folder}/none`];
  writeFileSync(config, ['[streamer]', ...usual, ...lines, ''].join('\n'), { mode: 0o600 });
  const load = () => loadSettings({ files: [config] });
  return { folder, config, stateDir, load };
};
type Site = ReturnType<typeof aSite>;

const found = async ({ load, folder }: Site, asked: Asked = 'not running'): Promise<readonly Checkup[]> => {
  const checkups: Checkup[] = [];
  for await (const checkup of examine(load(), asked)) checkups.push(checkup);
  return JSON.parse(JSON.stringify(checkups).replaceAll(folder, '{folder}'));
};
/** What needs care, in short. */
const findings = async (site: Site, asked?: Asked) =>
  (await found(site, asked))
    .filter(({ state }) => state !== 'ok')
    .map(({ state, what, found }) => [state, what, found]);

const NOT_RUNNING = ['warning', 'daemon', 'not running'];

/** What a daemon that runs with a site's settings answers. */
const running = ({ load }: Site, more: Partial<Status> = {}): Asked => ({
  status: {
    ...{ state: 'ready', missing: [], degraded: [], version, pid: process.pid, uptime: 1, listening: [] },
    ...{ connections: 0, requests: 0, saves: { dispatch: 'save', waiting: 0, oldest: 0 } },
    ...{
      sources: { unhealthy: [], alternates: [] },
      prefixes: [],
      workers: [],
      restart_needed: [],
      settings: settingsJson(load()),
    },
    ...more,
  },
});

const addImporter = ({ stateDir }: Site, url: string, config: Readonly<Record<string, string>> = {}) => {
  const catalog = openSqliteCatalog(join(stateDir, 'catalog.db'));
  const importerId = catalog.importers.add({ config }).id;
  catalog.entries.add({ ...anEntry({ path: `/${importerId}`, url, importerId, unitId: importerId }) });
  catalog.close();
  return importerId;
};

describe('the doctor', () => {
  it('finds nothing at a site that is well, and says what to do about each finding', async () => {
    const site = aSite();
    expect(await findings(site, running(site))).toEqual([]);
    const checkups = await found(site);
    expect(checkups.filter(({ state, advice = '' }) => (state !== 'ok') !== (advice !== ''))).toEqual([]);
    expect(new Set(checkups.map(({ area }) => area))).toEqual(
      new Set(['configuration', 'daemon', 'files', 'ports', 'catalog', 'disk', 'clock']),
    );
  });

  it('ends with a configuration that serve would refuse', async () => {
    const site = aSite(['interfaces: nosuch0', 'dispatch: deferred']);
    expect((await found(site)).map(({ area, state }) => [area, state])).toEqual([
      // The other line with the same key.
      ['configuration', 'warning'],
      ['configuration', 'problem'],
      ['configuration', 'problem'],
    ]);
  });

  it('hears what a running daemon says of itself', async () => {
    const site = aSite(['cooldown: 20']);
    const settings = { ...settingsJson(site.load()) };
    settings.cooldown = { value: 10, unit: 's', text: '10 s', origin: 'default' };
    // A flag of its start counts, whatever the files say.
    settings.port = { value: 1, text: '1', origin: 'flag --port' };
    const asked = running(site, {
      ...{ degraded: ['outbox: the disk is full'], version: '0.0.1', restart_needed: ['state_dir'], settings },
      saves: { dispatch: 'save', waiting: 3, oldest: 7_200 },
    });
    expect(await findings(site, asked)).toEqual([
      ['warning', 'a part of the daemon', 'outbox: the disk is full'],
      ['warning', 'version', `the daemon runs 0.0.1, and ${version} is installed`],
      ['warning', 'settings that a reload does not change', 'state_dir'],
      ['warning', 'settings that the daemon has not read yet', 'cooldown'],
      ['warning', 'saves', '3 wait, the oldest for 2 h'],
    ]);
    expect(await findings(site, running(site, { missing: ['the catalog is unavailable'] }))).toEqual([
      ['problem', 'daemon', 'the catalog is unavailable'],
    ]);
  });

  it('looks at the modes of files, and at configuration with secrets', async () => {
    const site = aSite(['broker_url: amqp://user:s3cret@127.0.0.1/']);
    chmodSync(site.config, 0o644);
    chmodSync(site.stateDir, 0o755);
    expect(await findings(site)).toEqual([
      NOT_RUNNING,
      ['warning', '{folder}/state', 'other users had access (mode 0755); its mode is 0700 now'],
      ['warning', '{folder}/streamer.conf', 'everybody may read it, and it sets broker_url'],
    ]);
  });

  itAsRoot('finds files of another user in the folder of the daemon’s', async () => {
    const site = aSite();
    addImporter(site, 'file:///dev/null');
    chownSync(site.stateDir, NOBODY.uid, NOBODY.gid);
    expect(await findings(site)).toContainEqual([
      'problem',
      'owner of {folder}/state',
      `it belongs to user ${NOBODY.uid}, and catalog.db to another one`,
    ]);
  });

  it('compares certificates with the calendar and with their keys', async () => {
    const made = await createCertificates();
    const { authority, server, expired, client, otherClient } = made;
    const feed = await startFeed((_, response) => response.end('bytes'), server);
    const soon = new Date(Date.now() + 10 * 86_400_000);
    const ending = await authority.server(['soon'], { notAfter: soon });
    const site = aSite();
    const add = (cert: string, key: string) =>
      addImporter(site, `${feed.url}/a`, { ssl_ca_cert: authority.cert, ssl_client_cert: cert, ssl_client_key: key });
    const [one, two, three] = [
      add(expired.cert, expired.key),
      add(ending.cert, ending.key),
      add(client.cert, otherClient.key),
    ];
    const certificates = (await found(site)).filter(({ area, state }) => area === 'certificates' && state !== 'ok');
    expect(certificates.map(({ state, what, found }) => [state, what, found])).toEqual(
      expect.arrayContaining([
        ['problem', `client certificate of feed of importer ${one}`, expect.stringMatching(/^expired on 20/)],
        ['warning', `client certificate of feed of importer ${two}`, `expires on ${soon.toISOString().slice(0, 10)}`],
        ['problem', `key of feed of importer ${three}`, 'it is not that of the client certificate'],
      ]),
    );
    expect(certificates.filter(({ what }) => what.startsWith('key of'))).toHaveLength(1);
  });

  it('compares the clock with those of feeds, of which the nearest counts', async () => {
    const ahead = (seconds: number) =>
      startFeed((_, response) => {
        response.setHeader('Date', new Date(Date.now() + seconds * 1000).toUTCString());
        response.end('bytes');
      });
    const site = aSite();
    addImporter(site, `${(await ahead(-9_000)).url}/a`);
    expect(await findings(site)).toContainEqual([
      'problem',
      'clock',
      expect.stringMatching(/^(8999|900[01]) s ahead of/),
    ]);
    addImporter(site, `${(await ahead(100)).url}/b`);
    expect(await findings(site)).toContainEqual([
      'warning',
      'clock',
      expect.stringMatching(/^(98|99|100) s behind that of/),
    ]);
    addImporter(site, `${(await ahead(0)).url}/c`);
    expect(await findings(site)).toEqual([NOT_RUNNING]);
  });

  it('says what the page on troubleshooting says about a feed that fails', async () => {
    const feed = await startFeed((_, response) => response.writeHead(403).end());
    const site = aSite();
    addImporter(site, `${feed.url}/a`);
    const failed = (await found(site)).find(({ area }) => area === 'feeds');
    expect(failed).toMatchObject({ state: 'problem', found: expect.stringContaining('answered 403') });
    expect(failed?.advice).toMatch(
      /^SOURCE_REFUSED: Renew the client certificate.*Reach feeds with old TLS \(docs\/how-to\/old-tls\.md\)/,
    );
  });

  it('finds files that have grown, which are kept small otherwise', async () => {
    const log = join(newFolder(), 'log');
    const site = aSite([`log_file: ${log}`]);
    for (const [file, size] of [
      [log, 3 * 1024 ** 3],
      [join(site.stateDir, 'outbox.db-wal'), 1024 ** 3],
    ] as const) {
      writeFileSync(file, '', { mode: 0o600 });
      truncateSync(file, size);
    }
    expect(await findings(site)).toEqual([
      NOT_RUNNING,
      ['warning', log, '3.0 GiB long'],
      ['warning', '{folder}/state/outbox.db-wal', '1.0 GiB long'],
    ]);
  });

  it('finds databases that were put aside', async () => {
    const site = aSite();
    for (const name of ['outbox.db.damaged-2026-11-28T09-00-12.000Z', 'catalog.db.replaced-2026-11-28T09-00-12.000Z'])
      writeFileSync(join(site.stateDir, name), '', { mode: 0o600 });
    expect(await findings(site)).toEqual([
      NOT_RUNNING,
      ['warning', '{folder}/state/catalog.db.replaced-2026-11-28T09-00-12.000Z', 'a database that `restore` replaced'],
      ['warning', '{folder}/state/outbox.db.damaged-2026-11-28T09-00-12.000Z', 'a damaged database that was put aside'],
    ]);
  });
});

const disk = tinyDisk();
const itOnTinyDisk = disk ? it : it.skip;
itOnTinyDisk(`the doctor finds a full disk${disk ? '' : ' (skipped: mounting is not permitted)'}`, async () => {
  const folder = disk?.folder ?? '';
  try {
    const site = aSite([`spill_dir: ${folder}`]);
    expect(await findings(site)).toContainEqual([
      'problem',
      `disk of ${folder}`,
      expect.stringMatching(/^0\.0 GiB of 0\.0 GiB free/),
    ]);
  } finally {
    disk?.free();
  }
});
