import { readDistribution, readTree } from '../../../src/repositories/treeinfo.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

export const target: Target = {
  about: 'treeinfo',
  tokens: [
    ...[
      '[general]\n',
      'family = F\n',
      'version = 1\n',
      'arch = x86_64\n',
      'variant = S\n',
      '[checksums]\n',
      'a = sha256:',
    ],
    ...[
      '0'.repeat(64),
      '[images-x86_64]\n',
      'kernel = a/b\n',
      '[stage2]\n',
      '[variant-A]\n',
      'repository = A\n',
      '../',
      '[addon-B]\n',
    ],
  ],
  check: (input) =>
    checkMetadata(input, async function* (pieces) {
      const repository = repositoryOf({ '.treeinfo': pieces });
      yield* (await readTree(repository))?.items ?? [];
      yield* readDistribution(repository);
    }),
};
