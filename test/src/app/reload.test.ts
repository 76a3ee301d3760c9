import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concatMap, filter, firstValueFrom, lastValueFrom, map, toArray } from 'rxjs';
import { openCatalog } from '../../../src/app/catalog.ts';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { showClientOf } from '../../../src/app/show-client.ts';
import { spillsOf } from '../../../src/app/spills.ts';
import { connectMongo } from '../../../src/catalog/mongodb/connection.ts';
import { RELOADS } from '../../../src/config/reload.ts';
import { databaseSettings } from '../../support/database-settings.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { describeMongo, mongodb, serverName } from '../../support/mongodb.ts';
import { startWireSite } from '../../support/wire.ts';

const newFolder = temporaryFolders();
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

describe('a reload', () => {
  it('says of each setting that it does not apply why', () => {
    const reasons = Object.values(RELOADS).filter((one) => one !== true);
    expect(reasons.filter((reason) => !/^[a-z].{10,}[^.]$/.test(reason))).toEqual([]);
    // What belongs together, as the settings of an object store do, has one reason.
    expect(new Set(reasons).size).toBeLessThan(20);
  });

  it('reads descriptors from another folder, and names the settings that are applied', async () => {
    const [stateDir, other] = [newFolder(), newFolder()];
    const site = await startWireSite(stateDir);
    ending.push(() => site.daemon.stop());
    const ids = () =>
      firstValueFrom(
        site.daemon.streamer.alternates.descriptors.pipe(map(({ sources }) => sources.map(({ id }) => id))),
      );
    mkdirSync(join(other, 'data'));
    writeFileSync(join(other, 'a.conf'), `[moved]\nenabled: 1\ntype: files\nbase_url: file://${other}/data\n`);
    expect(await ids()).toEqual([]);
    const changed = {
      contentSourcesDir: other,
      spillLimit: 1 << 20,
      showClients: 'no',
      metadataTimeout: 1_000,
    } as const;
    expect(await site.reload({ ...changed, port: 1 })).toEqual({
      applied: ['show_clients', 'metadata_timeout', 'content_sources_dir', 'spill_limit'],
      restartNeeded: ['port'],
      warnings: [],
    });
    expect(await ids()).toEqual(['moved']);
  });

  it('lets bytes wait on another disk, and those that wait already stay where they are', () => {
    const settings = { spillDir: newFolder(), spillLimit: 0 };
    const spills = spillsOf(settings, (error) => {
      throw error;
    });
    ending.push(spills.close);
    expect(spills.open(0, 1_000)).toBeUndefined();
    settings.spillLimit = 8 << 20;
    spills.renew();
    const first = spills.open(0, 1_000);
    expect(first).toBeDefined();
    settings.spillDir = newFolder();
    spills.renew();
    expect(spills.open(0, 1_000)).toBeDefined();
  });

  it('shows the addresses of clients as the setting says from then on', () => {
    const settings: Parameters<typeof showClientOf>[0] = { showClients: 'address' };
    const shown = showClientOf(settings);
    expect(shown('192.0.2.7')).toBe('192.0.2.7');
    Object.assign(settings, { showClients: 'network' });
    expect(shown('192.0.2.7')).toBe('192.0.2.*');
  });
});

describeMongo(`Pulp’s database with ${serverName}`, () => {
  const mongo = mongodb();

  it('may be another one after a reload', async () => {
    const { url } = await mongo.server();
    const names = ['one', 'other'].map((name) => `reload_${name}_${process.pid}`);
    for (const name of names) {
      const database = connectMongo(databaseSettings({ url, name }), 20_000);
      const entry = {
        importer_id: '0'.repeat(24),
        unit_id: 'u',
        unit_type_id: 'rpm',
        url: 'http://h/',
        revision: 1,
        data: {},
      };
      ending.push(() => firstValueFrom(database.ask((db) => db.dropDatabase())).then(() => database.close()));
      await firstValueFrom(
        database.ask((db) => db.collection('lazy_content_catalog').insertOne({ path: `/${name}`, ...entry })),
      );
    }
    const [one = '', other = ''] = names;
    const settings = {
      ...settingsOf({ stateDir: newFolder(), catalogType: 'mongodb', mongodbUrl: url, databaseName: one }),
    };
    const catalog = await openCatalog(settings);
    ending.push(catalog.close);
    await firstValueFrom(catalog.ready.pipe(filter((ready) => ready)));
    const found = (path: string) =>
      lastValueFrom(
        catalog.lookup(path).pipe(
          concatMap((entry) => [entry.path]),
          toArray(),
        ),
      );
    expect([await found(`/${one}`), await found(`/${other}`)]).toEqual([[`/${one}`], []]);
    catalog.renew();
    expect(await found(`/${one}`)).toEqual([`/${one}`]);
    settings.databaseName = other;
    catalog.renew();
    catalog.forget(`/${other}`);
    catalog.forget(`/${one}`);
    expect([await found(`/${one}`), await found(`/${other}`)]).toEqual([[], [`/${other}`]]);
    expect(await firstValueFrom(catalog.ready.pipe(filter((ready) => ready)))).toBe(true);
  });
});
