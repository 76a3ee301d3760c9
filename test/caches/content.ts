import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ChecksumAlgorithm } from '../../pipelines/index.ts';
import { type Random, seaOfBytes } from '../faults/random.ts';

/** The common properties of all versions of a file. */
export interface Kind {
  readonly name: string;
  /** The catalog's, if it has one. */
  readonly checksum?: ChecksumAlgorithm;
  /** Whether the catalog knows the size. */
  readonly sized: boolean;
  /** Whether the feed states no length. */
  readonly chunked: boolean;
  /** Whether the feed supports ranges. */
  readonly ranges: boolean;
  readonly tag: 'strong' | 'weak' | 'the same weak' | 'none';
  readonly dates: 'newer' | 'older' | 'the same' | 'none';
  readonly type?: string;
  readonly coding?: string;
}

/** One version of a file: the feed's content, and the fields that responses must have. */
export interface Version {
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  /** The feed's fields. */
  readonly feedTag?: string;
  readonly lastModified?: string;
  readonly type?: string;
  readonly coding?: string;
  /** The entity tag of responses: the checksum if the catalog has one, otherwise the feed's tag. */
  readonly etag?: string;
  /**
   * The codings that a response may name. Bytes that match a checksum are the file, without a coding,
   * and so are those of a compressed file.
   */
  readonly codings: readonly (string | undefined)[];
}

/** Names of compressed files. */
const isCompressed = (name: string): boolean => /\.(gz|tgz)$/.test(name);

export const anyKind = (random: Random): Kind => {
  const checksum = random.weighed<ChecksumAlgorithm | undefined>([
    [6, 'sha256'],
    [1, 'sha1'],
    [6, undefined],
  ]);
  const type = random.weighed([
    [3, 'application/x-rpm'],
    [1, undefined],
  ]);
  const coding = random.weighed([
    [5, undefined],
    [1, 'gzip'],
  ]);
  return {
    name: random.pick(['package.rpm', 'image.iso', 'primary.xml.gz', 'repomd.xml', 'Packages.gz', 'notes.txt']),
    ...(checksum && { checksum }),
    sized: random.chance(0.4),
    chunked: random.chance(0.35),
    ranges: random.chance(0.8),
    tag: random.weighed<Kind['tag']>([
      [5, 'strong'],
      [2, 'weak'],
      // States that all versions are equivalent. Only a checksum can disprove it.
      [checksum ? 1 : 0, 'the same weak'],
      [3, 'none'],
    ]),
    dates: random.weighed<Kind['dates']>([
      [4, 'newer'],
      [3, 'older'],
      [3, 'the same'],
      [1, 'none'],
    ]),
    ...(type && { type }),
    ...(coding && { coding }),
  };
};

/**
 * Large files, which caches may keep in slices. Mostly, nothing proves two slices the same version.
 */
export const anyLargeKind = (random: Random): Kind => {
  const { checksum, ...kind } = anyKind(random);
  return {
    ...kind,
    ...(checksum && random.chance(0.6) && { checksum }),
    sized: random.chance(0.2),
    ranges: true,
    tag: random.weighed<Kind['tag']>([
      [3, 'strong'],
      [1, 'weak'],
      [4, 'none'],
    ]),
    dates: random.pick(['newer', 'none']),
  };
};

/** Bytes: none, a few, below, about and above the size that is verified before the head. */
export const anySize = (random: Random): number =>
  random.weighed<() => number>([
    [3, () => 0],
    [3, () => random.whole(8, 50)],
    [24, () => random.whole(1_000, 60_000)],
    [8, () => random.whole(60_000, 400_000)],
    [2, () => (1 << 20) + random.whole(-1, 1)],
    [6, () => random.whole(1 << 20, 2 << 20)],
    [1, () => anyLargeSize(random)],
  ])();

/** Bytes of two or three slices of nginx. */
export const anyLargeSize = (random: Random): number => random.whole((4 << 20) + 1, 9 << 20);

const DAY = 86_400_000;
const BASE = Date.UTC(2024, 4, 5, 6, 7, 8);
const DAYS = { newer: 1, older: -1, 'the same': 0 };

/** Makes a version. Its place among the others decides its date, the seed its bytes. */
export const makeVersion = (kind: Kind, place: number, size: number, seed: number): Version => {
  const { name, checksum: algorithm, tag, dates, type, coding } = kind;
  const raw = seaOfBytes(size, seed);
  const bytes = (coding || isCompressed(name)) && size > 0 ? members(raw, isCompressed(name) ? seed % 3 : 0) : raw;
  const checksum = algorithm && { algorithm, value: createHash(algorithm).update(bytes).digest('hex') };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const unique = sha256.slice(0, 12);
  const feedTag = { strong: `"${unique}"`, weak: `W/"${unique}"`, 'the same weak': 'W/"same"', none: undefined }[tag];
  const etag = checksum ? `"${checksum.value}"` : feedTag;
  return {
    name: `version ${'ABCDEF'[place]}`,
    bytes,
    sha256,
    ...(checksum && { checksum }),
    ...(feedTag && { feedTag }),
    ...(etag && { etag }),
    ...(dates !== 'none' && { lastModified: new Date(BASE + place * DAYS[dates] * DAY).toUTCString() }),
    ...(type && { type }),
    ...(coding && { coding }),
    codings: checksum ? [undefined] : isCompressed(name) ? [undefined, coding] : [coding],
  };
};

/**
 * Compressed bytes: one member, two, or one that is padded with zeros, as some tools write them.
 */
const members = (raw: Buffer, way: number): Buffer => {
  const half = raw.length >> 1;
  const parts = way === 1 ? [raw.subarray(0, half), raw.subarray(half)] : [raw];
  const padding = way === 2 ? [Buffer.alloc(512)] : [];
  return Buffer.concat([...parts.map((part) => gzipSync(part, { level: 1 })), ...padding]);
};
