import { expect, it } from '@jest/globals';
import { receive } from '../support/clients.ts';
import { digestOf } from '../support/collect.ts';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { makeSite } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();

const NAMES = ['a+b', 'a%2Bb', 'a%252Bb', 'c;d', 'c%3Bd', '100%', 'back\\slash', 'é ü', '#1?'];

it('serves each file of an imported folder for the URL that every web server has for it', async () => {
  const files = folder();
  makeFilesRepository(files, Object.fromEntries(NAMES.map((name) => [name, name])));
  const site = makeSite(start, folder());
  await site.run('catalog', 'import', 'files', files, '--prefix', '/files');
  const daemon = await site.serve();
  const got = await Promise.all(NAMES.map((name) => receive(`${daemon.url}/files/${encodeURIComponent(name)}`)));
  expect(got.map(({ sha256 }) => sha256)).toEqual(NAMES.map((name) => digestOf(Buffer.from(name))));
});
