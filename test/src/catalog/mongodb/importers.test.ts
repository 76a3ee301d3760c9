import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { configOf } from '../../../../src/catalog/mongodb/importers.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const DOCUMENT = {
  repo_id: 'zoo',
  importer_type_id: 'yum_importer',
  config: { feed: 'https://feed/', ssl_ca_cert: 'kept as a file', ssl_client_cert: 'too' },
};

describe('an importer of Pulp’s', () => {
  it.each([
    [
      'a pipe for a certificate',
      'importers/zoo-yum_importer/pki/ca.crt',
      (path: string) => execFileSync('mkfifo', [path]),
      'is not a regular file',
    ],
    [
      'a certificate without end',
      'importers/zoo-yum_importer/pki/client.crt',
      (path: string) => writeFileSync(path, 'x'.repeat(2 ** 20 + 1)),
      'is larger than 1048576 bytes',
    ],
    [
      'a pipe for the configuration of its type',
      'yum_importer.json',
      (path: string) => execFileSync('mkfifo', [path]),
      'is not a regular file',
    ],
  ])('with %s is refused, and nothing waits for it', async (_, file, make, problem) => {
    const folder = newFolder();
    mkdirSync(join(folder, 'importers/zoo-yum_importer/pki'), { recursive: true });
    make(join(folder, file));
    const reading = configOf('a'.repeat(24), DOCUMENT, { storageDir: folder, pluginConfigDir: folder });
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_BROKEN', message: expect.stringContaining(problem) });
  });

  it('is refused if its document is nested too deep', async () => {
    const config = JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`);
    const reading = configOf(
      'a'.repeat(24),
      { ...DOCUMENT, config },
      { storageDir: '/none', pluginConfigDir: '/none' },
    );
    await expect(reading).rejects.toMatchObject({
      code: 'SOURCE_BROKEN',
      message: expect.stringContaining('more than 64 nested'),
    });
  });
});
