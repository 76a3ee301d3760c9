import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { firstValueFrom, toArray } from 'rxjs';
import { keptMetadata } from '../../../../src/catalog/kept-metadata.ts';
import { metadataFiles } from '../../../../src/catalog/metadata-files.ts';
import type { ReadFile } from '../../../../src/repositories/format.ts';
import { METADATA } from '../../../../src/repositories/format.ts';
import { describeMongo, serverName } from '../../../support/mongodb.ts';
import { anEntry } from '../../../support/pipeline.ts';
import { sharedStores } from '../../../support/shared-catalog.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const content = randomBytes(1_300_000);
const checksum = { algorithm: 'sha256', value: createHash('sha256').update(content).digest('hex') } as const;
const name = `sha256-${checksum.value}`;
const read: ReadFile = async function* () {
  for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000);
};

const clients: MongoClient[] = [];
afterAll(async () => {
  for (const client of clients) await client.close();
});

describeMongo(`Files of metadata in ${serverName}`, () => {
  const stores = sharedStores();

  /** A file that one machine has read, and what is inside of the database. */
  const keep = async () => {
    const catalog = await stores.catalog();
    const [one, other] = [(await catalog.open()).metadata, (await catalog.open()).metadata];
    if (!one || !other) throw new Error('the shared catalog has files');
    const folder = newFolder();
    const files = metadataFiles(folder).sharedBy(one);
    for await (const _ of files.keeping(read)('http://h/primary.xml'));
    const client = new MongoClient(catalog.url);
    clients.push(client);
    return { folder, files, other, inside: client.db() };
  };
  const find = (folder: string, shared: Parameters<typeof keptMetadata>[1]) =>
    firstValueFrom(keptMetadata(folder, shared)(anEntry({ unitTypeId: METADATA, checksum })).pipe(toArray()));

  it('are in pieces of half a mebibyte, and each machine fetches them once, with the same date', async () => {
    const { folder, other, inside } = await keep();
    const sizes = await inside.collection('metadata_chunks').find().sort({ number: 1 }).toArray();
    expect(sizes.map(({ data }) => data.length())).toEqual([524_288, 524_288, 251_424]);
    const elsewhere = newFolder();
    const both = await Promise.all([find(elsewhere, other), find(elsewhere, other)]);
    expect(both.map((found) => found.length)).toEqual([1, 1]);
    expect(readdirSync(elsewhere)).toEqual([name]);
    expect(readFileSync(join(elsewhere, name)).equals(content)).toBe(true);
    expect(Math.floor(statSync(join(elsewhere, name)).mtimeMs)).toBe(Math.floor(statSync(join(folder, name)).mtimeMs));
  });

  it('have one date, also if two machines store them at once', async () => {
    const catalog = await stores.catalog();
    const [one, other] = [(await catalog.open()).metadata, (await catalog.open()).metadata];
    const first = async function* () {
      yield content.subarray(0, 600_000);
      expect(await other?.put(name, read('http://h/'), 2_000)).toBe(2_000);
      yield content.subarray(600_000);
    };
    expect(await one?.put(name, first(), 1_000)).toBe(2_000);
    const found = await one?.get(name);
    const pieces: Uint8Array[] = [];
    for await (const piece of found?.bytes ?? []) pieces.push(piece);
    expect([found?.modified, Buffer.concat(pieces).equals(content)]).toEqual([2_000, true]);
  });

  it('are not served if a piece is missing or wrong', async () => {
    const { other, inside } = await keep();
    const chunks = inside.collection<{ _id: string }>('metadata_chunks');
    await chunks.updateOne({ _id: `${name}:1` }, { $set: { data: Buffer.from('wrong') } });
    const elsewhere = newFolder();
    expect(await find(elsewhere, other)).toEqual([]);
    await chunks.deleteOne({ _id: `${name}:1` });
    expect(await find(elsewhere, other)).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('are removed an hour after nothing needs them any more, and so is what was never finished', async () => {
    const { files, other, inside } = await keep();
    const metadata = inside.collection<{ _id: string }>('metadata');
    const chunks = inside.collection<{ _id: string }>('metadata_chunks');
    const HOUR = 3_601_000;
    await files.sweep(() => false);
    expect(await files.has(checksum)).toBe(true);
    await metadata.updateOne({ _id: name }, { $inc: { at: -HOUR } });
    await files.sweep(() => true);
    expect(await metadata.countDocuments()).toBe(1);
    await chunks.insertOne({ ...{ _id: 'md5-1:0', file: 'md5-1', number: 0, at: 1 }, data: Buffer.of() } as never);
    await files.sweep(({ value }) => value !== checksum.value);
    expect([await metadata.countDocuments(), await chunks.countDocuments()]).toEqual([0, 0]);
    expect(await find(newFolder(), other)).toEqual([]);
  });
});
