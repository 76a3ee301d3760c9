import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decompress, SUFFIXES } from '../../../src/repositories/decompress.ts';
import { itNeeding } from '../../support/repositories.ts';

const CONTENT = Buffer.concat([randomBytes(100_000), Buffer.alloc(1_000_000, 'text ')]);
const HALVES = [CONTENT.subarray(0, 300_000), CONTENT.subarray(300_000)] as const;

const by = (program: string, ...args: string[]) =>
  execFileSync(program, [...args, '-c'], { input: CONTENT, maxBuffer: 1e8 });
const twice = (pack: (half: Buffer) => Buffer) => Buffer.concat(HALVES.map(pack));

const unpack = async (name: string, packed: Buffer): Promise<Buffer> => {
  const pieces = async function* () {
    for (let from = 0; from < packed.length; from += 10_000) yield packed.subarray(from, from + 10_000);
  };
  const found: Uint8Array[] = [];
  for await (const chunk of decompress(name, pieces())) found.push(chunk);
  return Buffer.concat(found);
};

const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

const PACKED: readonly (readonly [string, string, readonly string[], () => Buffer])[] = [
  ['two members', 'x.gz', [], () => twice((half) => gzipSync(half))],
  ['two frames', 'x.zst', [], () => twice((half) => zstdCompressSync(half))],
  [
    'skippable frames around',
    'x.zst',
    [],
    () => Buffer.concat([skippable, twice((half) => zstdCompressSync(half)), skippable]),
  ],
  ['a check for each frame', 'x.zst', ['zstd'], () => by('zstd', '-19', '--check')],
  ['SHA-256', 'x.xz', ['xz'], () => by('xz', '--check=sha256')],
  ['no check', 'x.xz', ['xz'], () => by('xz', '--check=none')],
  ['a filter for x86', 'x.xz', ['xz'], () => by('xz', '--x86', '--lzma2')],
  ['a dictionary of 128 MiB', 'x.xz', ['xz'], () => by('xz', '--lzma2=dict=128MiB')],
  ['many blocks', 'x.xz', ['xz'], () => by('xz', '--block-size=50000')],
  ['two streams', 'x.xz', ['xz'], () => Buffer.concat([by('xz'), by('xz')])],
  ['the older format', 'x.lzma', ['xz'], () => by('xz', '--format=lzma')],
  ['bzip2', 'x.bz2', ['bzip2'], () => by('bzip2')],
  ['two streams', 'x.bz2', ['bzip2'], () => Buffer.concat([by('bzip2'), by('bzip2')])],
];

/** Of those that are followed by other bytes, some end within a piece of the file, others between two. */
const BROKEN: Readonly<Record<string, (packed: Buffer) => Buffer>> = {
  'is cut': (packed) => packed.subarray(0, -50_000),
  'lacks its last bytes': (packed) => packed.subarray(0, -3),
  'is followed by a few other bytes': (packed) => Buffer.concat([packed, Buffer.from('other bytes')]),
  'is followed by many other bytes': (packed) => Buffer.concat([packed, randomBytes(30_000)]),
};

describe('decompression', () => {
  for (const [what, name, tools, make] of PACKED) {
    let packed: Buffer | undefined;
    const pack = () => (packed ??= make());

    itNeeding(tools)(`reads ${name} with ${what}`, async () => {
      const content = await unpack(name, pack());
      expect(content.subarray(0, CONTENT.length).equals(CONTENT)).toBe(true);
      if (what === 'two streams') expect(content.length).toBe(2 * CONTENT.length);
      else expect(content.length).toBe(CONTENT.length);
    });

    for (const [how, change] of Object.entries(BROKEN))
      itNeeding(tools)(`refuses ${name} with ${what} that ${how}`, async () => {
        await expect(unpack(name, change(pack()))).rejects.toThrow(`${name}: cannot be decompressed`);
      });
  }

  for (const suffix of SUFFIXES.filter(Boolean))
    it(`refuses a file of no bytes as ${suffix}`, async () => {
      await expect(unpack(`x${suffix}`, Buffer.alloc(0))).rejects.toThrow(`x${suffix}: cannot be decompressed: `);
    });

  itNeeding(['xz'])('reads zeros after xz, which pads its streams', async () => {
    const content = await unpack('x.xz', Buffer.concat([by('xz'), Buffer.alloc(20_000)]));
    expect(content.equals(CONTENT)).toBe(true);
  });

  itNeeding(['xz'])('refuses a second member in the older format, which has none', async () => {
    const packed = by('xz', '--format=lzma');
    await expect(unpack('x.lzma', Buffer.concat([packed, packed]))).rejects.toThrow('x.lzma: cannot be decompressed');
  });

  itNeeding(['xz', 'bzip2'])('says of xz, lzma and bzip2 that they were cut', async () => {
    const cut = { 'x.xz': by('xz'), 'x.lzma': by('xz', '--format=lzma'), 'x.bz2': by('bzip2') };
    for (const [name, packed] of Object.entries(cut))
      await expect(unpack(name, packed.subarray(0, -3))).rejects.toThrow(
        `${name}: cannot be decompressed: ends within a stream`,
      );
  });
});
