import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import type { DatabaseSettings } from '../../../../src/catalog/mongodb/client.ts';
import { connectMongo } from '../../../../src/catalog/mongodb/connection.ts';
import { type Certificates, createCertificates } from '../../../support/certificates.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { startOn } from '../../../support/feeds.ts';
import { describeMongo, mongodb, serverName } from '../../../support/mongodb.ts';
import { passOnTo } from '../../../support/pass-on.ts';
import { demanding } from '../../../support/site-feeds.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

describeMongo(`Pulp’s database over TLS (${serverName} behind a terminator)`, () => {
  const mongo = mongodb();
  const newFolder = temporaryFolders();
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  let made: Certificates;
  let files: Record<'ca' | 'stranger' | 'cert' | 'key', string>;
  beforeAll(async () => {
    made = await createCertificates();
    const folder = newFolder();
    const write = (name: string, pem: string) => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    files = {
      ca: write('ca.pem', made.authority.cert),
      stranger: write('stranger.pem', made.stranger.cert),
      cert: write('cert.pem', made.client.cert),
      key: write('key.pem', made.client.key),
    };
  });

  /** The result of a query with these settings, on a server that demands a client certificate. */
  const ask = async (settings: Partial<DatabaseSettings>): Promise<string> => {
    const terminator = createServer(demanding(made), passOnTo((await mongo.server()).url));
    const { port, close } = await startOn(terminator);
    closing.push(close);
    const database = connectMongo(databaseSettings({ seeds: [`localhost:${port}`], ssl: true, ...settings }), 1_500);
    closing.push(database.close);
    return firstValueFrom(database.ask((db) => db.collection('units_rpm').findOne({}))).then(
      () => 'answered',
      ({ code, message }) => `${code} ${message}`,
    );
  };
  const client = () => ({ sslCertfile: files.cert, sslKeyfile: files.key });

  it('answers with its CA and the client certificate', async () =>
    expect(await ask({ caPath: files.ca, ...client() })).toBe('answered'));

  it('is rejected with another CA, unless verification is off', async () => {
    expect(await ask({ caPath: files.stranger, ...client() })).toMatch(/^CATALOG_UNAVAILABLE .*certificate/);
    expect(await ask({ caPath: files.stranger, ...client(), verifySsl: false })).toBe('answered');
  });

  it('rejects a client without certificate', async () =>
    expect(await ask({ caPath: files.ca })).toMatch(/^CATALOG_UNAVAILABLE/));
});
