import { files } from '../../../src/repositories/files.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

export const target: Target = {
  about: 'PULP_MANIFEST and checksum lists',
  tokens: [
    ...[
      'a.iso,',
      '0'.repeat(64),
      ',1\n',
      '"',
      '""',
      ', ',
      '  ',
      ' *',
      '\\',
      '\\n',
      'SHA256 (a) = ',
      '# a: 1 bytes\n',
      '#',
      '\n',
    ],
    ...['-----BEGIN PGP SIGNED MESSAGE-----\n', '-----BEGIN PGP SIGNATURE-----\n', '../', './', '\r\n'],
  ],
  check: async (input) => {
    for (const name of ['PULP_MANIFEST', 'SHA256SUMS'])
      await checkMetadata(input, (pieces) => files(repositoryOf({ [name]: pieces }), {}));
  },
};
