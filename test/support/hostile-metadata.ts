import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, createGzip, createZstdCompress, gzipSync } from 'node:zlib';
import lzma from 'lzma-native';
import { sha256 } from './importing.ts';

/** The files of a repository by path. */
export type HostileFiles = Readonly<Record<string, string | Uint8Array>>;

const MIB = 1024 ** 2;

const repomd = (name: string, packed: Uint8Array | string, open?: number): string =>
  `<repomd><data type="primary"><checksum type="sha256">${sha256(packed)}</checksum><location href="${name}"/>${
    open === undefined ? '' : `<open-size>${open}</open-size>`
  }</data></repomd>`;

const aYum = (name: string, packed: Uint8Array | string, open?: number): HostileFiles => ({
  'repodata/repomd.xml': repomd(name, packed, open),
  [name]: packed,
});

/** Elements that stand for nothing, so that no bound but that of the bytes ends their reading. */
const nothing = (bytes: number, element = `<a b="${'x'.repeat(60_000)}"/>`): Buffer =>
  Buffer.from(`<r>${element.repeat(bytes / element.length)}</r>`);

const through = (content: Buffer, packer: NodeJS.ReadWriteStream): Promise<Buffer> =>
  buffer(Readable.from([content]).pipe(packer as NodeJS.ReadWriteStream & NodeJS.ReadableStream));

/** 714 kB of nested elements. */
export const nested = (): HostileFiles => aYum('primary.xml', '<a>'.repeat(238_000));

/** An attribute of 2 MiB. */
export const hugeAttribute = (): HostileFiles => aYum('primary.xml', `<metadata a="${'x'.repeat(2 * MIB)}"/>`);

/** Some kilobytes of xz that become 80 MiB. */
export const bomb = async (): Promise<HostileFiles> =>
  aYum('primary.xml.xz', await through(nothing(80 * MIB), lzma.createCompressor({ preset: 1 })));

/**
 * A Debian suite with an index of so many patches, whose names are so long that to know them takes more
 * than the heap.
 */
export const longNames = (): HostileFiles => {
  const name = 'x'.repeat(3900);
  const stanza = (at: number): string =>
    `SHA1-Patches:\n${Array.from({ length: 200 }, (_, line) => ` ${'a'.repeat(40)} 1 ${name}${at + line}\n`).join('')}\n`;
  const index = Array.from({ length: 150 }, (_, number) => stanza(200 * number)).join('');
  const packed = gzipSync(index);
  const packages = `Package: bear\nVersion: 1\nFilename: bear.deb\nSHA256: ${sha256('')}\n`;
  const folder = 'main/binary-all/Packages';
  const line = (content: string | Uint8Array, path: string) => ` ${sha256(content)} ${content.length} ${path}\n`;
  return {
    'dists/stable/Release': `SHA256:\n${line(packages, folder)}${line(packed, `${folder}.diff/Index.gz`)}${line(index, `${folder}.diff/Index`)}`,
    [`dists/stable/${folder}`]: packages,
    [`dists/stable/${folder}.diff/Index.gz`]: packed,
  };
};

/** What states its size, is worth nothing, and takes long to be parsed. */
export const tedious = async (): Promise<HostileFiles> => {
  const content = nothing(300 * MIB, '<a/>');
  return aYum('primary.xml.gz', await through(content, createGzip()), content.length);
};

/** A dictionary of 64 MiB for as much content, as the size says. */
export const largeDictionary = async (): Promise<HostileFiles> => {
  const content = nothing(80 * MIB);
  return aYum('primary.xml.xz', await through(content, lzma.createCompressor({ preset: 9 })), content.length);
};

/** The same with zstd. */
export const largeWindow = async (): Promise<HostileFiles> => {
  const content = nothing(150 * MIB);
  const params = { [constants.ZSTD_c_windowLog]: 27 };
  return aYum('primary.xml.zst', await through(content, createZstdCompress({ params })), content.length);
};

/** So much for a few bytes of bzip2 that the decoder holds it in buffers. */
export const eagerDecoder = (): HostileFiles => {
  const content = Buffer.alloc(120 * MIB);
  const packed = execFileSync('bzip2', ['-c'], { input: content, maxBuffer: MIB });
  return aYum('primary.xml.bz2', packed, content.length);
};
