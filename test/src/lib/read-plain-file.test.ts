import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { identityProblems } from '../../../src/app/identity-files.ts';
import { readPublicKey } from '../../../src/http/rsa-key.ts';
import { readPlainBytes, readPlainBytesSync } from '../../../src/lib/read-plain-file.ts';
import { messageOf } from '../../../src/lib/thrown.ts';
import { readKeyring } from '../../../src/repositories/signatures/keyring.ts';
import { temporaryFolders } from '../../support/folder.ts';

const folder = temporaryFolders();

const pipe = (): string => {
  const path = join(folder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
};

describe('a file that an operator names', () => {
  it('is read byte by byte as it is, unless it is too large', async () => {
    const path = join(folder(), 'a');
    const bytes = Buffer.from([0, 255, 128]);
    writeFileSync(path, bytes);
    expect(readPlainBytesSync(path)).toEqual(bytes);
    expect(await readPlainBytes(path)).toEqual(bytes);
    expect(() => readPlainBytesSync(path, 2)).toThrow('it is larger than 2 bytes');
    await expect(readPlainBytes(path, 2)).rejects.toThrow('it is larger than 2 bytes');
  });

  // Each would wait for a writer of the pipe, and the event loop with it.
  it.each<[what: string, read: (path: string) => unknown]>([
    ['the key of signed URLs', readPublicKey],
    ['a keyring', readKeyring],
    ['an endless device', () => readKeyring('/dev/zero')],
    [
      'a certificate',
      (path) => {
        const none = ['databaseSslKeyfile', ''] as const;
        throw new Error(identityProblems({ ca: none, key: none, cert: ['databaseSslCertfile', path] }).join());
      },
    ],
  ])('as %s is not opened if it is a pipe or a device', async (_, read) => {
    const message = await Promise.resolve(pipe()).then(read).then(String, messageOf);
    expect(message).toContain('it is not a regular file');
  });
});
