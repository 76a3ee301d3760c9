import { yum } from '../../../src/repositories/yum.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf } from '../invariants/repositories.ts';

export const target: Target = {
  about: 'repomd.xml',
  tokens: [
    ...[
      '<repomd>',
      '</repomd>',
      '<data type="primary">',
      '</data>',
      '<checksum type="sha256">',
      '</checksum>',
      '<size>',
    ],
    ...[
      '<location href="repodata/primary.xml"/>',
      'xml:base="http://a/"',
      '<open-checksum type="sha">',
      '<timestamp>1<',
    ],
    ...[
      '<open-size>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&#0;',
      '&x;',
      '<!DOCTYPE a [',
      '<?xml version="1.0"?>',
    ],
    ...['../', 'http://feed.example/repo/', 'data:', '0'.repeat(64), 'xmlns="a"', 'prestodelta', '__proto__'],
  ],
  check: (input) => checkMetadata(input, (pieces) => yum(repositoryOf({ 'repodata/repomd.xml': pieces }), {})),
};
