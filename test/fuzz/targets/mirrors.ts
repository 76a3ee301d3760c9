import assert from 'node:assert/strict';
import { mirrors } from '../../../src/repositories/mirrors.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

export const target: Target = {
  about: 'lists of mirrors: metalinks, and a URL a line',
  tokens: [
    ...[
      '<metalink>',
      '</metalink>',
      '<file name="repomd.xml">',
      '</file>',
      '<url preference="100">',
      '</url>',
      'priority="1"',
    ],
    ...[
      'http://a.example/repodata/repomd.xml',
      'https://b.example/',
      '<size>',
      '</size>',
      '<hash type="sha256">',
      '</hash>',
    ],
    ...['<alternate>', '</alternate>', '0'.repeat(64), 'sha-512', '\n', '#', 'ftp://', '@', '?a', 'NaN', '<mm0:'],
  ],
  check: (input) =>
    checkMetadata(input, async function* (pieces) {
      for await (const item of mirrors(repositoryOf({ '': pieces }), {})) {
        if (item.unitTypeId !== 'mirror') yield item;
        else assert.match(item.path, /^https?:\/\/[^/@?#]+\/([^?#]*\/)?$/i, 'a mirror that is not a folder over HTTP');
      }
    }),
};
