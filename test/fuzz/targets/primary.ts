import { yum } from '../../../src/repositories/yum.ts';
import type { Target } from '../engine/target.ts';
import { checkMetadata, repositoryOf, sha256 } from '../invariants/repositories.ts';

/** Lists the input as its packages and its delta packages. */
const repomdOf = (input: Buffer): string =>
  `<repomd>${['primary', 'prestodelta']
    .map(
      (type) =>
        `<data type="${type}"><checksum type="sha256">${sha256(input)}</checksum><size>${input.length}</size><location href="${type}.xml"/></data>`,
    )
    .join('')}</repomd>`;

export const target: Target = {
  about: 'primary.xml and prestodelta.xml of a yum repository, each verified',
  tokens: [
    ...[
      '<metadata packages="1">',
      '</metadata>',
      '<package type="rpm">',
      '</package>',
      '<name>a</name>',
      '<arch>src</arch>',
    ],
    ...[
      '<version epoch="0" ver="1" rel="1"/>',
      '<checksum type="sha256">',
      '</checksum>',
      '<size package="1"/>',
      '0'.repeat(64),
    ],
    ...[
      '<location href="a.rpm"/>',
      'xml:base="http://a/"',
      '<format>',
      '</format>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&lt;',
    ],
    ...[
      '<prestodelta>',
      '<newpackage name="a" version="1" release="1">',
      '<delta>',
      '<filename>',
      '<sequence>',
      '<?a?>',
      '../',
    ],
    ...['<!DOCTYPE a>', '<!', '\xef\xbb\xbf', '\xc3\xa9'],
  ],
  check: (input) => {
    const repomd = Buffer.from(repomdOf(input));
    return checkMetadata(input, (pieces) =>
      yum(repositoryOf({ 'repodata/repomd.xml': [repomd], 'primary.xml': pieces, 'prestodelta.xml': pieces }), {}),
    );
  },
};
