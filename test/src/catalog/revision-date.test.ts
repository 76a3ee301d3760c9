import { expect, it } from '@jest/globals';
import { toBase } from '../../../src/catalog/import.ts';
import { refreshRepository } from '../../../src/catalog/refresh-repository.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { files } from '../../../src/repositories/files.ts';
import type { ReadFile } from '../../../src/repositories/format.ts';
import { readFileUrl } from '../../support/read-file-url.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const MIDNIGHT = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;

// Until it counts, clients and caches have got the former one.
it('a revision is dated by the time at which it counts, not by that at which its reading began', async () => {
  let at = MIDNIGHT - 2 * MINUTE;
  const slow: ReadFile = async function* (url) {
    yield* readFileUrl(url);
    at = MIDNIGHT + 3 * MINUTE;
  };
  const catalog = openSqliteCatalog(':memory:');
  const repository = newFolder();
  makeFilesRepository(repository, { 'a.iso': 'A' });
  await refreshRepository({
    ...{ catalog, format: files, formatName: 'files', base: toBase(repository), prefix: '/p', read: slow },
    ...{ importer: catalog.importers.ensure({}).id, keepRevisions: 86_400, now: () => at },
  });
  expect(await catalog.history?.revisions('/p')).toMatchObject([{ published: (MIDNIGHT + 3 * MINUTE) / 1000 }]);
  catalog.close();
});
