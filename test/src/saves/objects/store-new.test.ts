import type { IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { StreamError } from '../../../../pipelines/model/index.ts';
import type { Bucket } from '../../../../src/saves/objects/bucket.ts';
import { someBytes } from '../../../support/collect.ts';
import { objectStores, sumOf } from '../../../support/object-stores.ts';
import { BUCKET, describeObjects, type ObjectServer } from '../../../support/s3-server.ts';
import { describing, find, writeTo } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

/** Two parts and a bit. */
const LARGE = someBytes(17 * 1024 * 1024);
const SMALL = someBytes(100_000);
const CUT = SMALL.subarray(0, 12);
const NOT_THERE = 'the store said that it was there, and it was not; it was stored without a condition';

const openStore = objectStores();

/** Whether a request makes an object visible. */
const ends = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'PUT' ? !url.includes('partNumber=') : method === 'POST' && url.includes('uploadId=');

/** Has the server answer wrongly that what is stored under a condition is there. Returns the names that it stored. */
const sayingThere = (objects: ObjectServer): readonly string[] => {
  const stored: string[] = [];
  objects.meddle((request, response) => {
    if (!ends(request)) return false;
    if (request.headers['if-none-match'] === undefined) {
      stored.push(request.url?.replace(/\?.*/, '') ?? '');
      return false;
    }
    response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
    return true;
  });
  return stored;
};

/** Replaces the content of a copy, and removes its description, as a store may lose one of them. */
const replaceContent = async (bucket: Bucket, url: string, bytes: Uint8Array): Promise<void> => {
  const name = url.slice(bucket.url.length);
  await bucket.remove(name.replace(/\.[^.]*$/, '.json'));
  await bucket.put(name, bytes, { sha256: sumOf(bytes) });
};

/** The URL of the only copy's content. To look it up would count as a use, which is written to its description. */
const contentOf = (names: readonly string[]): string =>
  `s3://${BUCKET}/${names.find((name) => !name.endsWith('.json'))}`;

describeObjects('a condition that the store answers wrongly', () => {
  it('is left out once the store was looked at: the copy is stored, in one piece and in parts', async () => {
    const { objects, unfinished, noted, mended, errors, save, served } = await openStore('liar');
    const stored = sayingThere(objects);
    for (const bytes of [SMALL, LARGE]) {
      const entry = describing(bytes, { path: '/file.rpm' });
      await save(entry, bytes);
      expect(await served(entry)).toBe(sumOf(bytes));
    }
    expect(stored.filter((name) => name.endsWith('.rpm'))).toHaveLength(2);
    expect(mended.map((line) => line.replace(/.*\.rpm: /, ''))).toEqual([NOT_THERE, NOT_THERE]);
    expect([errors, await unfinished(), noted()]).toEqual([[], 0, []]);
  });

  it('is left out for content without a checksum and its description, too', async () => {
    const { objects, names, mended, errors, save, served } = await openStore('liar-bare');
    const stored = sayingThere(objects);
    const entry = describing(SMALL, { path: '/bare.rpm', checksum: undefined });
    await save(entry, SMALL);
    // To serve it is a use, which is written down, too.
    expect([stored.length, names().length, mended.length]).toEqual([2, 2, 2]);
    expect(await served(entry)).toBe(sumOf(SMALL));
    expect(errors).toEqual([]);
  });

  it('is left out once: if the store refuses that, too, the copy is abandoned and nothing is left', async () => {
    const { store, objects, unfinished, names, noted, errors, mended } = await openStore('liar-twice');
    objects.meddle((request, response) => {
      if (!ends(request)) return false;
      response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
      return true;
    });
    const entry = describing(LARGE);
    const keeping = store.keep(entry, LARGE.length, []);
    writeTo(keeping, LARGE);
    keeping?.commit();
    await until(() => errors.length > 0);
    await until(async () => (await unfinished()) === 0 && noted().length === 0);
    expect([errors, mended, names()]).toEqual([[expect.stringMatching(/was abandoned: s3:.* answered 412/)], [], []]);
    expect(objects.asked.filter((one) => /^POST .*liar-twice.*uploadId=/.test(one))).toHaveLength(2);
  });
});

describeObjects('what is in the place of a copy', () => {
  for (const bytes of [SMALL, LARGE])
    it(`is replaced by the ${bytes.length} bytes of the copy if it is of another length`, async () => {
      const prefix = `cut-${bytes.length}`;
      const { bucket, names, save } = await openStore(prefix);
      const entry = describing(bytes);
      await save(entry, bytes);
      const url = contentOf(names());
      await replaceContent(bucket, url, CUT);
      const later = await openStore(prefix);
      const stored: unknown[] = [];
      later.objects.meddle((request) => {
        if (ends(request) && request.headers['if-match'] !== undefined) stored.push(request.method);
        return false;
      });
      await later.save(entry, bytes);
      expect(await later.served(entry)).toBe(sumOf(bytes));
      expect([stored.length, later.mended, later.errors]).toEqual([
        1,
        [`${url}: an object of 12 bytes was in its place; it was stored instead`],
        [],
      ]);
      expect([await later.unfinished(), later.names().length]).toEqual([0, 2]);
    });

  it('is left to a writer who replaces it at the same moment', async () => {
    const { bucket, names, save } = await openStore('race');
    const entry = describing(SMALL);
    await save(entry, SMALL);
    const url = contentOf(names());
    await replaceContent(bucket, url, CUT);
    const later = await openStore('race');
    let replaced: Promise<void> | undefined;
    later.objects.meddle((request, response) => {
      if (request.headers['if-match'] === undefined || replaced) return false;
      // Between the look and the second request.
      replaced = replaceContent(bucket, url, SMALL).finally(() => response.destroy());
      return true;
    });
    const keeping = later.store.keep(entry, SMALL.length, []);
    writeTo(keeping, SMALL);
    keeping?.commit();
    await until(() => later.errors.length > 0);
    expect([later.errors, later.mended]).toEqual([
      [expect.stringMatching(/an object of 12 bytes was in its place; another writer has changed it$/)],
      [],
    ]);
    // The save request finds it.
    await later.save(entry, SMALL);
    expect(await later.served(entry)).toBe(sumOf(SMALL));
  });

  it('is found wrong by the first read if only its bytes are, and is replaced afterwards', async () => {
    const { bucket, names, save } = await openStore('same-length');
    const entry = describing(SMALL);
    await save(entry, SMALL);
    const url = contentOf(names());
    await replaceContent(bucket, url, someBytes(SMALL.length));
    const later = await openStore('same-length');
    await later.save(entry, SMALL);
    const candidate = await find(later.store, entry);
    const error = await later.served(entry).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CHANGED' });
    if (candidate && error instanceof StreamError) later.store.failed(candidate, error);
    await until(() => later.errors.length > 0);
    expect(later.errors).toEqual([expect.stringMatching(/its sha256 is .*; it was removed$/)]);
    expect(later.names().filter((name) => !name.endsWith('.json'))).toEqual([]);
    await later.save(entry, SMALL);
    expect(await later.served(entry)).toBe(sumOf(SMALL));
  });

  it('is replaced if it is a damaged description, of content with and without a checksum', async () => {
    for (const checksum of [describing(SMALL).checksum, undefined]) {
      const prefix = `damaged-${checksum?.algorithm}`;
      const { bucket, names, save } = await openStore(prefix);
      const entry = describing(SMALL, { checksum });
      await save(entry, SMALL);
      const url = contentOf(names());
      const description = url.slice(bucket.url.length).replace(/(-[0-9a-f]{32})?\.[^.]*$/, '.json');
      await bucket.put(description, CUT, { sha256: sumOf(CUT) });
      const later = await openStore(prefix);
      await later.save(entry, SMALL);
      expect(await later.served(entry)).toBe(sumOf(SMALL));
      expect([later.mended, later.errors]).toEqual([
        [expect.stringMatching(/\.json: a description of other content, or a damaged one, was in its place/)],
        [],
      ]);
    }
  });
});
