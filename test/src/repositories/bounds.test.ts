import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import lzma from 'lzma-native';
import { deb } from '../../../src/repositories/deb.ts';
import { decompress } from '../../../src/repositories/decompress.ts';
import { files } from '../../../src/repositories/files.ts';
import type { Format, Selection } from '../../../src/repositories/format.ts';
import { mirrors } from '../../../src/repositories/mirrors.ts';
import { yum } from '../../../src/repositories/yum.ts';
import { readFiles, sha256 } from '../../support/importing.ts';

type Contents = Readonly<Record<string, string | Uint8Array>>;

const SUM = 'a'.repeat(64);
const MIB = 1024 ** 2;
const PACKAGE = `<package><name>bear</name><checksum type="sha256">${SUM}</checksum><location href="bear.rpm"/></package>`;

const data = (type: string, path: string, content: string | Uint8Array): string =>
  `<data type="${type}"><checksum type="sha256">${sha256(content)}</checksum><location href="${path}"/></data>`;

/** A yum repository with one package, and more. */
const aYum = (more: Contents = {}, listed = ''): Contents => {
  const primary = `<metadata>${PACKAGE}</metadata>`;
  return {
    'repodata/repomd.xml': `<repomd>${data('primary', 'primary.xml', primary)}${listed}</repomd>`,
    'primary.xml': primary,
    ...more,
  };
};

const deltas = (content: string): Contents => {
  const all = `<prestodelta><newpackage name="bear" version="1" release="1"><delta>${content}`;
  return aYum({ 'deltas.xml': all }, data('prestodelta', 'deltas.xml', all));
};

const lines = (count: number, line: (number: number) => string): string =>
  Array.from({ length: count }, (_, number) => `${line(number)}\n`).join('');

const aRelease = (path: string, content: string): Contents => ({
  'dists/stable/Release': `SHA256:\n ${sha256(content)} ${content.length} ${path}\n`,
  [`dists/stable/${path}`]: content,
});

const STABLE: Selection = { suites: ['stable'] };

const CASES: readonly (readonly [string, Format, Contents, RegExp, Selection?])[] = [
  [
    'repomd.xml of too many files',
    yum,
    { 'repodata/repomd.xml': `<repomd>${data('other', 'a', '').repeat(50_001)}</repomd>` },
    /^repodata\/repomd\.xml: lists more than 50000 files$/,
  ],
  [
    'repomd.xml that is too long',
    yum,
    { 'repodata/repomd.xml': `<repomd>${' '.repeat(16 * MIB)}` },
    /^repodata\/repomd\.xml: longer than 16777216 bytes$/,
  ],
  [
    'repomd.xml with a document type of entities',
    yum,
    {
      'repodata/repomd.xml': `<!DOCTYPE r [<!ENTITY a "${'x'.repeat(1000)}"><!ENTITY b "&a;&a;">]><repomd><data>&b;</data></repomd>`,
    },
    /^repodata\/repomd\.xml: not well-formed XML: .*undefined entity/,
  ],
  [
    'a document type that is too long',
    yum,
    { 'repodata/repomd.xml': `<!DOCTYPE r [${'<!ENTITY a "b">'.repeat(100_000)}]>` },
    /^repodata\/repomd\.xml: 1:\d+: more than 1048576 characters in one text, tag or comment$/,
  ],
  [
    'comments that are too long',
    yum,
    { 'repodata/repomd.xml': `<repomd>${`<!--${'x'.repeat(1000)}-->`.repeat(2000)}` },
    /^repodata\/repomd\.xml: 1:\d+: more than 1048576 characters in one text, tag or comment$/,
  ],
  [
    'a text in many parts',
    yum,
    { 'repodata/repomd.xml': `<repomd>${`${'x'.repeat(1000)}<!---->`.repeat(2000)}` },
    /^repodata\/repomd\.xml: 1:\d+: more than 1048576 characters in one text, tag or comment$/,
  ],
  [
    'deltas of too many fields',
    yum,
    deltas(lines(1025, (number) => `<a${number}/>`)),
    /^deltas\.xml: \d+:\d+: more than 1024 fields in one delta$/,
  ],
  [
    'deltas of too many characters',
    yum,
    deltas(lines(3, () => `<a>${'x'.repeat(MIB / 2)}</a>`)),
    /^deltas\.xml: \d+:\d+: more than 1048576 characters in one delta$/,
  ],
  [
    'treeinfo of too many keys',
    yum,
    aYum({ treeinfo: `[checksums]\n${lines(50_001, (number) => `${number} = sha256:${SUM}`)}` }),
    /^treeinfo: line 50001: more than 50000 sections and keys$/,
  ],
  [
    'treeinfo with a line that is too long',
    yum,
    aYum({ '.treeinfo': `\n[${'x'.repeat(MIB)}]` }),
    /^\.treeinfo: line 2: longer than 1048576 characters$/,
  ],
  [
    'treeinfo of too many repositories',
    yum,
    aYum({ treeinfo: lines(257, (number) => `[variant-${number}]\nrepository = ${number}`) }),
    /^treeinfo: more than 256 repositories inside of the tree$/,
  ],
  [
    'a list of licences that is nested too deep',
    yum,
    aYum({ treeinfo: '[general]\nname = x', 'extra_files.json': '['.repeat(65) }),
    /^extra_files\.json: character 65: more than 64 nested values$/,
  ],
  [
    'a list of too many licences',
    yum,
    aYum({
      treeinfo: '[general]\nname = x',
      'extra_files.json': JSON.stringify({ data: Array(50_001).fill({ file: 'EULA' }) }),
    }),
    /^extra_files\.json: lists more than 50000 files$/,
  ],
  [
    'Release of too many files',
    deb,
    { 'dists/stable/Release': `SHA256:\n${lines(50_001, (number) => ` ${SUM} 1 ${number}`)}` },
    /^dists\/stable\/Release: SHA256: more than 50000 files$/,
    STABLE,
  ],
  [
    'Release of too many fields',
    deb,
    { 'dists/stable/Release': lines(1100, (number) => `A${number}: b`) },
    /^dists\/stable\/Release: line 1026: more than 1024 fields$/,
    STABLE,
  ],
  [
    'InRelease with a line that is too long',
    deb,
    { 'dists/stable/InRelease': `A: b\nB: ${'x'.repeat(MIB)}` },
    /^dists\/stable\/InRelease: line 2: longer than 1048576 characters$/,
    STABLE,
  ],
  [
    'Packages with a line that is too long',
    deb,
    aRelease('main/binary-all/Packages', `A: b\n\nPackage: ${'x'.repeat(2 * MIB)}`),
    /^dists\/stable\/main\/binary-all\/Packages: line 3: a line is longer than 1048576 characters$/,
    STABLE,
  ],
  [
    'Sources with a stanza that is too long',
    deb,
    aRelease('main/source/Sources', `Files:\n${lines(3000, () => ` ${'x'.repeat(500)}`)}`),
    /^dists\/stable\/main\/source\/Sources: line \d+: more than 1048576 characters in one stanza$/,
    STABLE,
  ],
  [
    'an index of patches with a line that is too long',
    deb,
    aRelease('main/binary-all/Packages.diff/Index', `SHA256-Download:\n ${'x'.repeat(2 * MIB)}`),
    /^dists\/stable\/main\/binary-all\/Packages\.diff\/Index: line 2: a line is longer/,
    STABLE,
  ],
  [
    'a checksum list with a line that is too long',
    files,
    { SHA256SUMS: `${SUM}  a\n${'x'.repeat(2 * MIB)}` },
    /^SHA256SUMS: line 2: a line is longer than 1048576 characters$/,
  ],
  [
    'a metalink of too many mirrors',
    mirrors,
    { '': `<metalink>${'<url>http://m/</url>'.repeat(501)}</metalink>` },
    /^https:\/\/test\/repo\/: more than 500 mirrors and versions$/,
  ],
  [
    'a metalink that is nested too deep',
    mirrors,
    { '': `<metalink>${'<url>'.repeat(65)}` },
    /^https:\/\/test\/repo\/: 1:\d+: more than 64 nested elements$/,
  ],
  [
    'a metalink with a wrong hash',
    mirrors,
    {
      '': '<metalink><file name="repomd.xml"><hash type="sha256">abc</hash></file><url>http://m/</url></metalink>',
    },
    /^https:\/\/test\/repo\/: hash: /,
  ],
  [
    'a list of too many mirrors',
    mirrors,
    { '': lines(501, (number) => `http://m${number}/`) },
    /^https:\/\/test\/repo\/: more than 500 mirrors and versions$/,
  ],
];

describe('hostile metadata is refused with file and place:', () => {
  it.each(CASES.map(([what, ...how]) => [what, how] as const))(
    '%s',
    async (_, [format, contents, message, selection]) => {
      await expect(readFiles(format, contents, selection, { pieceSize: 64 * 1024 })).rejects.toThrow(message);
    },
  );
});

describe('one that is odd beyond all measure', () => {
  it('leaves a file with too long a path out, and is not repeated in full', async () => {
    const long = 'x'.repeat(4097);
    const primary = `<metadata>${PACKAGE.replace('bear.rpm', long)}${PACKAGE}</metadata>`;
    const repomd = `<repomd>${data('primary', 'primary.xml', primary)}</repomd>`;
    const { items, leftOut } = await readFiles(yum, { 'repodata/repomd.xml': repomd, 'primary.xml': primary });
    expect(items.at(-1)?.path).toBe('bear.rpm');
    expect(leftOut).toEqual([
      `primary.xml: package bear: location "${'x'.repeat(1000)} …" is longer than 4096 characters, expected a relative path`,
    ]);
  });

  it('is matched in linear time', async () => {
    const list = `${lines(3, () => 'a'.repeat(MIB - 1))}${SUM}  a\n`;
    const { items } = await readFiles(files, { SHA256SUMS: list }, {}, { pieceSize: 64 * 1024 });
    expect(items.map(({ path }) => path)).toEqual(['a', 'SHA256SUMS']);
  });
});

/** The bytes that come out, and what ends them. */
const unpacked = async (name: string, packed: Uint8Array, pieceSize: number, stated?: number) => {
  let bytes = 0;
  let read = 0;
  try {
    const pieces = async function* () {
      for (; read < packed.length; read += pieceSize) yield packed.subarray(read, read + pieceSize);
    };
    for await (const chunk of decompress(name, pieces(), stated)) bytes += chunk.length;
  } catch (error) {
    return { bytes, read, error };
  }
  return { bytes, read, error: undefined };
};

describe('a bomb', () => {
  const PACKERS: readonly (readonly [string, (content: Buffer) => Uint8Array | Promise<Uint8Array>])[] = [
    ['gz', (content) => gzipSync(content)],
    ['zst', (content) => zstdCompressSync(content)],
    ['xz', (content) => new Promise<Buffer>((resolve) => void lzma.compress(content, 1, resolve))],
  ];
  it.each(PACKERS)('in %s ends at the size that is stated, or far above that of honest files', async (suffix, pack) => {
    const bomb = await pack(Buffer.alloc(80 * MIB));
    const stated = await unpacked(`x.${suffix}`, bomb, 1000, 5 * MIB);
    expect(stated.error).toMatchObject({ message: `x.${suffix}: more than 5242880 bytes after decompression` });
    expect(stated.bytes).toBeLessThanOrEqual(5 * MIB);
    const unstated = await unpacked(`x.${suffix}`, bomb, 1000);
    expect(unstated.error).toMatchObject({ message: `x.${suffix}: more than 67108864 bytes after decompression` });
  });

  it('in xz is not unpacked ahead of its reader', async () => {
    const bomb = await new Promise<Buffer>((resolve) => void lzma.compress(Buffer.alloc(80 * MIB), 1, resolve));
    const { read, error } = await unpacked('x.xz', bomb, 1000, 5 * MIB);
    expect(error).toBeInstanceOf(Error);
    // Of 12 kB, each of which becomes 7 MB.
    expect(read).toBeLessThan(9_000);
  });

  it('in frames that come byte by byte costs no more than its bytes', async () => {
    const content = Buffer.from('honest');
    const packed = Buffer.concat(Array(2_000).fill(zstdCompressSync(content)));
    expect(await unpacked('x.zst', packed, 1)).toMatchObject({ bytes: 2_000 * content.length, error: undefined });
  });
});
