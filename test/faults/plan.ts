import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChecksumAlgorithm, Part } from '../../pipelines/index.ts';
import type { Manner } from './client.ts';
import { anyHonest, anyLie, asScript, type Fault } from './fault.ts';
import type { Framing, Resource } from './feed.ts';
import type { Random } from './random.ts';
import { checksumOf, type Feeds, type Listing } from './scene.ts';

/** One transfer, planned in advance. */
export interface Transfer {
  readonly listing: Listing;
  readonly sha256: string;
  /** Whether one of its sources is always good. */
  readonly good: boolean;
  /** Faults that can be detected only after the client has received bytes. */
  readonly lies: ReadonlySet<Fault>;
  readonly through: 'daemon' | 'squid';
  readonly manner: Manner;
  /** The part that the first client requests; absent: the whole. */
  readonly part?: Part & { readonly sha256: string };
  /** The number of simultaneous clients. */
  readonly clients: number;
  /** The events at its sources, to analyse a broken promise. */
  readonly story: readonly string[];
  /** Whether it is requested again afterwards: then there may be a saved copy. */
  readonly again: boolean;
}

interface World {
  readonly sea: Buffer;
  readonly feeds: Feeds;
  /** The folder of sources on disk. */
  readonly folder: string;
  /** Bytes up to which content is verified before its head. */
  readonly wholeBelow: number;
}

const MEBIBYTE = 1 << 20;

const sizeOf = (random: Random, wholeBelow: number): number =>
  random.weighed<() => number>([
    [1, () => 0],
    [2, () => random.whole(1, 3)],
    [4, () => random.whole(4, 20_000)],
    [4, () => random.whole(20_000, wholeBelow)],
    [2, () => wholeBelow + random.whole(-1, 1)],
    [8, () => random.whole(wholeBelow, 4 * wholeBelow)],
    [2, () => random.whole(MEBIBYTE, 3 * MEBIBYTE)],
  ])();

const ALGORITHMS: readonly (readonly [number, ChecksumAlgorithm])[] = [
  [8, 'sha256'],
  [1, 'md5'],
  [1, 'sha1'],
  [1, 'sha512'],
];

const FRAMINGS: readonly (readonly [number, Framing])[] = [
  [6, 'length'],
  [2, 'chunked'],
  [1, 'close'],
];

/** Plans a transfer and creates its sources. */
export const planTransfer = (index: number, random: Random, world: World): Transfer => {
  const { sea, feeds, folder, wholeBelow } = world;
  const size = sizeOf(random, wholeBelow);
  const from = random.whole(0, sea.length - size);
  const bytes = sea.subarray(from, from + size);
  const path = `/content/units/rpm/${index}/package-${index}.rpm`;
  const sizeKnown = random.chance(0.6);
  const lies = new Set<Fault>();
  /** Whether the sources only break: a wrong part could not be distinguished from a right one. */
  let honest = true;
  const story: string[] = [];

  const atFeed = (place: number, faults: readonly Fault[], forever?: Fault, framing?: Framing): string => {
    const feed = random.chance(0.5) ? feeds.plain : feeds.secure;
    const resource: Resource = { bytes, framing: framing ?? random.weighed(FRAMINGS), faults, forever };
    feed.resources.set(`/${place}${path}`, resource);
    story.push(`${place}: ${resource.framing} ${JSON.stringify({ faults, forever })}`);
    return `${feed.url}/${place}${path}`;
  };

  const faulty = (place: number): string => {
    const framing = random.weighed(FRAMINGS);
    const isLie = random.chance(0.25);
    honest &&= !isLie;
    const fault = (isLie ? anyLie : anyHonest)(size, random);
    const script = asScript(fault, size, random);
    // Without a length, the end of the connection is the end of the body.
    const endsWell =
      framing === 'close' && !sizeKnown && (fault.kind === 'early end' || fault.kind === 'truncated TLS');
    const foundOut = sizeKnown && size <= wholeBelow;
    if ((isLie || endsWell) && !foundOut) {
      for (const one of script) lies.add(one);
      return atFeed(place, script, undefined, framing);
    }
    return atFeed(place, script, random.chance(0.6) ? script.at(-1) : undefined, framing);
  };

  const onDisk = (place: number, content: Uint8Array): string => {
    const file = join(folder, `${index}-${place}.rpm`);
    writeFileSync(file, content);
    return `file://${file}`;
  };

  const brokenDisk = (place: number): string => {
    const file = join(folder, `${index}-${place}.rpm`);
    const foundOut = sizeKnown && size <= wholeBelow && size > 0;
    const how = random.pick([
      'missing',
      'folder',
      'loop',
      'device',
      ...(foundOut ? (['short', 'wrong'] as const) : []),
    ]);
    if (how === 'folder') mkdirSync(file);
    if (how === 'loop') symlinkSync(file, file);
    if (how === 'device') return 'file:///dev/null';
    honest &&= how !== 'short' && how !== 'wrong';
    if (how === 'short') writeFileSync(file, bytes.subarray(1));
    if (how === 'wrong') writeFileSync(file, bytes.with(0, bytes[0]! ^ 1));
    return `file://${file}`;
  };

  const bad = (place: number): string =>
    random.weighed<() => string>([
      [14, () => faulty(place)],
      [1, () => `${feeds.nobody.url}/${path}`],
      [1, () => `${feeds.expired.url}/${path}`],
      [1, () => `${feeds.stranger.url}/${path}`],
      [2, () => brokenDisk(place)],
    ])();

  const good = random.chance(0.95);
  const count = random.whole(2, 4);
  const goodPlace = good ? random.whole(0, count - 1) : -1;
  const urls = Array.from({ length: count }, (_, place) => {
    if (place !== goodPlace) return bad(place);
    return random.chance(0.15) ? onDisk(place, bytes) : atFeed(place, []);
  });

  const through = random.chance(0.3) ? 'squid' : 'daemon';
  const first = random.whole(0, Math.max(0, size - 1));
  const last = random.whole(first, Math.max(0, size - 1));
  // Squid requests the whole content even if its client requests a part.
  const inPart = random.chance(0.2) && good && honest && size > 0 && through === 'daemon';

  return {
    listing: {
      path,
      urls,
      checksum: checksumOf(bytes, random.weighed(ALGORITHMS)),
      size: sizeKnown ? size : undefined,
    },
    sha256: checksumOf(bytes).value,
    good,
    lies,
    story: [`${size} bytes`, ...story],
    through,
    ...(inPart && { part: { first, last, sha256: checksumOf(bytes.subarray(first, last + 1)).value } }),
    clients: random.weighed([
      [8, 1],
      [1, 2],
      [1, 4],
    ]),
    manner: mannerOf(size, random),
    again: random.chance(0.2),
  };
};

const mannerOf = (size: number, random: Random): Manner =>
  random.weighed<() => Manner>([
    [80, () => ({ kind: 'reads' })],
    [8, () => ({ kind: 'pauses', after: random.whole(0, size), milliseconds: random.whole(1, 300) })],
    [2, () => ({ kind: 'leaves', when: 'before the head' })],
    [2, () => ({ kind: 'leaves', when: 'at the head' })],
    [5, () => ({ kind: 'leaves', when: random.whole(0, size) })],
  ])();
