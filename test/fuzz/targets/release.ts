import assert from 'node:assert/strict';
import { deb } from '../../../src/repositories/deb.ts';
import { listIndices } from '../../../src/repositories/deb-indices.ts';
import { parseRelease, withoutSignature } from '../../../src/repositories/release.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

const repository = repositoryOf({});

export const target: Target = {
  about: 'Release and InRelease of a Debian repository',
  tokens: [
    ...[
      'Origin: a\n',
      'Suite: stable\n',
      'Components: main\n',
      'Date: Sat, 01 Jan 2022 00:00:00 UTC\n',
      'Valid-Until: ',
    ],
    ...[
      'Acquire-By-Hash: yes\n',
      'SHA256:\n',
      'MD5Sum:\n',
      ' ',
      '0'.repeat(64),
      ' 1 main/binary-all/Packages.gz\n',
      '\r\n',
    ],
    ...[
      'main/source/Sources',
      'main/binary-amd64/Packages.diff/Index',
      'main/installer-amd64/current/images/SHA256SUMS',
    ],
    ...[
      '-----BEGIN PGP SIGNED MESSAGE-----\n',
      'Hash: SHA256\n\n',
      '\n-----BEGIN PGP SIGNATURE-----\n',
      '../',
      '-----END PGP SIGNATURE-----',
    ],
  ],
  check: async (input) => {
    const { files } = parseRelease('Release', withoutSignature(input.toString()), repository);
    for (const { size, digests } of files) {
      assert.ok(Number.isSafeInteger(size) && size >= 0);
      assert.ok(digests.length > 0);
    }
    assert.ok(listIndices(files).length <= files.length * 4);
    for (const name of ['dists/a/InRelease', 'dists/a/Release'])
      await checkMetadata(input, (pieces) => deb(repositoryOf({ [name]: pieces }), { suites: ['a'] }));
  },
};
