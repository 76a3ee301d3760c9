import { readPackagesIndex } from '../../../src/repositories/packages.ts';
import { readPatchIndex } from '../../../src/repositories/pdiffs.ts';
import { readSourcesIndex } from '../../../src/repositories/sources.ts';
import type { Target } from '../engine/target.ts';
import { asyncly } from '../invariants/chunkings.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

const repository = repositoryOf({});

export const target: Target = {
  about: 'Packages, Sources and the index of patches of a Debian repository',
  tokens: [
    ...[
      'Package: a\n',
      'Version: 1\n',
      'Architecture: all\n',
      'Filename: pool/a.deb\n',
      'Size: 1\n',
      'SHA256: ',
      '0'.repeat(64),
    ],
    ...[
      'MD5sum: ',
      'Directory: pool\n',
      'Checksums-Sha256:\n',
      'Files:\n',
      ' ',
      '\t',
      '\n\n',
      '\r\n',
      '#',
      ':',
      '../',
      './',
    ],
    ...['SHA256-Download:\n', 'SHA1-Patches:\n', 'T-2024-01-01-0000.00-F-2024-01-01-0000.00'],
  ],
  check: async (input) => {
    for (const read of [readSourcesIndex, readPatchIndex])
      await checkMetadata(input, (pieces) => read(repository, 'main/Packages', asyncly(pieces)));
    await checkMetadata(input, (pieces) => readPackagesIndex(repository, 'main/Packages', asyncly(pieces), true));
  },
};
