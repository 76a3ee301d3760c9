import type { Checksum } from '../../pipelines/index.ts';
import { anyHonest, anyLie, asScript, type Fault, MOST_EXTRA } from '../faults/fault.ts';
import type { FaultyFeed, Framing, Resource } from '../faults/feed.ts';
import type { Random } from '../faults/random.ts';
import { checksumOf } from '../faults/scene.ts';
import { ALONE, PULP } from './ends.ts';
import { isProven, type Kind } from './kinds.ts';

/** A file of the run, with its sources. */
export interface SoakFile {
  readonly path: string;
  readonly kind: Kind;
  /** The name of its content. */
  readonly content: string;
  readonly size: number;
  readonly checksum: Checksum;
  /** Whether the catalog has its size. */
  readonly sized: boolean;
  /** Best first. */
  readonly urls: readonly string[];
  /** Whether one of the sources is always good. */
  readonly good: boolean;
  /** Faults that only content without them could reveal: wrong bytes, a wrong end. */
  readonly lies: ReadonlySet<Fault>;
  /** The name of the end that it is requested at. */
  readonly end: string;
  /** Its sources, to explain a broken promise. */
  readonly story: readonly string[];
}

export interface World {
  readonly feeds: readonly FaultyFeed[];
  /** URLs that refuse every connection, or present an invalid certificate. */
  readonly dead: readonly string[];
  readonly contentOf: (name: string, size: number) => Buffer;
  readonly wholeBelow: number;
  readonly ends: readonly string[];
}

const WEIGHTS: readonly (readonly [number, Kind])[] = [
  [6, 'small'],
  [4, 'sized'],
  [3, 'told'],
  [2, 'unsized'],
  [2, 'lengthOnly'],
  [2, 'nothing'],
];

const FRAMINGS: readonly (readonly [number, Framing])[] = [
  [6, 'length'],
  [2, 'chunked'],
  [1, 'close'],
];

const sizeOf = (kind: Kind, sized: boolean, random: Random, below: number): number => {
  // What no source states to be larger is small.
  const whole = kind === 'small' && !sized ? below - MOST_EXTRA : below;
  const small = () => random.pick([0, random.whole(1, 3), random.whole(4, 20_000), random.whole(1, whole), whole]);
  const large = () =>
    random.weighed([
      [1, whole + 1],
      [8, random.whole(whole + 1, 4 * whole)],
      [1, random.whole(4 * whole, 24 * whole)],
    ]);
  if (kind === 'small') return small();
  return isProven(kind) || random.chance(0.5) ? large() : small();
};

/** The framing of the good source; another one may have any. */
const framingOf = (kind: Kind, random: Random): Framing => {
  if (kind === 'told') return 'length';
  return kind === 'unsized' ? random.pick(['chunked', 'close']) : random.weighed(FRAMINGS);
};

/** Plans a file with one to six sources, and puts it into their feeds. */
export const planFile = (number: number, random: Random, world: World): SoakFile => {
  const kind = random.weighed(WEIGHTS);
  const sized = kind === 'sized' || kind === 'lengthOnly' || (kind === 'small' && random.chance(0.5));
  const size = sizeOf(kind, sized, random, world.wholeBelow);
  const content = `file-${number}`;
  const path = `/content/units/rpm/${number}/package-${number}.rpm`;
  const lies = new Set<Fault>();
  const story: string[] = [`${kind}, ${size} bytes${sized ? ' in the catalog' : ''}`];
  const feeds = [...world.feeds].sort(() => random.next() - 0.5);

  const at = (place: number, framing: Framing, faults: readonly Fault[] = [], forever?: Fault): string => {
    const feed = feeds[place]!;
    put(feed, `/${place}${path}`, { content, size, framing, faults, forever }, world);
    story.push(`${place}: ${framing} ${JSON.stringify({ faults, forever })}`);
    return `${feed.url}/${place}${path}`;
  };

  const faulty = (place: number): string => {
    if (random.chance(0.1)) {
      const dead = random.pick(world.dead);
      story.push(`${place}: ${dead}`);
      return dead + path;
    }
    const framing = random.weighed(FRAMINGS);
    const isLie = random.chance(0.25);
    const fault = (isLie ? anyLie : anyHonest)(size, random);
    const script = asScript(fault, size, random);
    // Without a length, the end of the connection is the end of the body.
    const endsWell = framing === 'close' && (fault.kind === 'early end' || fault.kind === 'truncated TLS');
    if (!isLie && !endsWell) return at(place, framing, script, random.chance(0.6) ? script.at(-1) : undefined);
    for (const one of script) lies.add(one);
    return at(place, framing, script);
  };

  const good = random.chance(0.95);
  const count = random.whole(1, feeds.length);
  const goodPlace = good ? random.whole(0, count - 1) : -1;
  const urls = Array.from({ length: count }, (_, place) =>
    place === goodPlace ? at(place, framingOf(kind, random)) : faulty(place),
  );
  const checksum = checksumOf(world.contentOf(content, size));
  const end = random.weighed([
    [5, ALONE],
    [3, random.pick(world.ends)],
    [2, PULP],
  ]);
  return { path, kind, content, size, checksum, sized, urls, good, lies, end, story };
};

interface Held extends Omit<Resource, 'bytes'> {
  readonly content: string;
  readonly size: number;
}

/** Puts content into a feed, without holding its bytes. */
export const put = (feed: FaultyFeed, path: string, held: Held, { contentOf }: Pick<World, 'contentOf'>): void => {
  const { content, size, framing, faults, forever } = held;
  feed.resources.set(path, {
    get bytes() {
      return contentOf(content, size);
    },
    framing,
    faults,
    forever,
  });
};
