import { type Random, seeded } from '../faults/random.ts';
import { anyKind, anyLargeKind, anyLargeSize, anySize, type Kind, makeVersion, type Version } from './content.ts';
import type { Fault } from './feed.ts';
import { anyRange } from './ranges.ts';
import { anyRequest, anyRevalidation, type RequestPlan, WHOLE } from './requests.ts';

/** One event of a story. */
export type Step =
  /** Concurrent requests. Bodies of the feed pause for `rest` milliseconds at their middle. */
  | { readonly what: 'ask'; readonly requests: readonly RequestPlan[]; readonly rest: number }
  /** Cached files expire. */
  | { readonly what: 'expire' }
  /**
   * The catalog lists the next version, in place of the old row or in a newer row. The feed has it at
   * once, or not yet.
   */
  | { readonly what: 'replace'; readonly row: 'same' | 'another'; readonly lags: boolean }
  /** The feed has the next version. The catalog, which has no checksum, does not change. */
  | { readonly what: 'change' }
  /** The feed fails from now on, or has recovered. */
  | { readonly what: 'fault'; readonly fault?: Fault }
  /** Another file of the same feed fails. */
  | { readonly what: 'elsewhere' }
  /** The streamer is stopped and started. */
  | { readonly what: 'restart' };

/** The events of one path, decided in advance: the same for every cache. */
export interface Story {
  readonly seed: number;
  readonly index: number;
  readonly kind: Kind;
  readonly versions: readonly Version[];
  /** Whether the catalog lists the first version in an older row from the beginning. */
  readonly older: boolean;
  readonly steps: readonly Step[];
}

const anyFault = (random: Random, size: number, kind: Kind): Fault =>
  random.weighed<() => Fault>([
    [3, () => ({ kind: 'status', status: random.pick([500, 500, 503, 404, 403]) })],
    [4, () => ({ kind: 'cut', at: random.whole(0, Math.max(0, size - 1)) })],
    [kind.checksum && size > 0 ? 1.5 : 0, () => ({ kind: 'wrong byte', at: random.whole(0, Math.max(0, size - 1)) })],
  ])();

/** Whether the dates of a feed, if it sends any, show that content was replaced. */
export const isSeen = ({ dates }: Kind): boolean => dates === 'newer' || dates === 'none';

/** Whether a feed may change content without the catalog, which then must not describe it. */
const mayChange = (kind: Kind): boolean => !kind.checksum && !kind.sized && isSeen(kind);

/** The events before the next requests: often none, otherwise one or a few. */
const anyEvents = (
  random: Random,
  kind: Kind,
  {
    size,
    left,
    first,
    failing,
    large,
  }: Readonly<Record<'size' | 'left', number>> & Readonly<Record<'first' | 'failing' | 'large', boolean>>,
): readonly Step[] => {
  const replace = (row: 'same' | 'another', lags = false): Step => ({ what: 'replace', row, lags });
  const expire: Step = { what: 'expire' };
  const next: Step = mayChange(kind) && random.chance(0.5) ? { what: 'change' } : replace('same');
  const fault: Step = { what: 'fault', fault: anyFault(random, size, kind) };
  return random.weighed<readonly Step[]>([
    [failing ? 3 : 6, []],
    [first ? 0 : 2, [expire]],
    [left > 0 ? (large ? 8 : 2) : 0, [next]],
    [left > 0 && !first ? 4 : 0, [next, expire]],
    [left > 0 ? 1 : 0, [replace('another')]],
    // Without a checksum, the old content of a feed that lags behind looks like new content.
    [left > 0 && kind.checksum ? 1 : 0, [replace('same', true)]],
    [large ? 6 : 2, [fault]],
    [first ? 0 : 1.5, [fault, expire]],
    [failing ? 12 : 0, [{ what: 'fault' }]],
    [1, [{ what: 'elsewhere' }]],
    [first ? 0 : 0.7, [{ what: 'elsewhere' }, expire]],
  ]);
};

const isNext = ({ what }: Step): boolean => what === 'replace' || what === 'change';

/** Only one version may be empty: two would be the same. */
const distinct = (size: number, place: number): number => (size === 0 && place > 0 ? 7 + place : size);

const isFailing = (step: Step): boolean =>
  (step.what === 'fault' && step.fault !== undefined) || (step.what === 'replace' && step.lags);

/** The story of a path, by its number among those of a seed. */
export const makeStory = (seed: number, index: number): Story => {
  const random = seeded(seed * 1_000_003 + index);
  const large = random.chance(0.15);
  const drawn = large ? anyLargeKind(random) : anyKind(random);
  const count = random.whole(2, 3);
  const sizes = Array.from({ length: count }, () => (large ? anyLargeSize(random) : anySize(random)));
  const same = random.chance(large ? 0.8 : 0.4);
  const versions = sizes.map((size, place) =>
    makeVersion(drawn, place, distinct(same ? sizes[0]! : size, place), seed * 7919 + index * 31 + place),
  );
  const older = random.chance(0.2);
  const steps: Step[] = [];
  let at = older ? 1 : 0;
  let failing = false;
  const turns = random.whole(3, large ? 4 : 6);
  const restart = random.whole(1, turns);
  for (let turn = 0; turn < turns; turn += 1) {
    if (turn === restart) steps.push({ what: 'restart' });
    const size = versions[at]!.bytes.length;
    const events = anyEvents(random, drawn, { size, left: count - 1 - at, first: turn === 0, failing, large });
    for (const event of events) if (event.what === 'fault' || isNext(event)) failing = isFailing(event);
    at += events.filter(isNext).length;
    const length = versions[at]!.bytes.length;
    const rest = random.chance(0.2) ? random.whole(5, 30) : 0;
    // Most stories begin with a whole file, so that caches have something to keep.
    const request = () => {
      if (large && turn === 0 && random.chance(0.6)) return { ...WHOLE, range: anyRange(random, 1_000_000) };
      return random.chance(turn === 0 || large ? 0.5 : 0.12) ? WHOLE : anyRequest(random, length);
    };
    // Caches fail most often if the first client after a change already has the new version.
    const first = events.some(isNext) && random.chance(0.35) ? anyRevalidation(random) : request();
    const groups = Array.from({ length: random.whole(1, 3) }, (_, group): Step => {
      const together = random.weighed([[6, 1] as const, [1, 2] as const, [1, 4] as const]);
      const requests = Array.from({ length: together }, (_, one) => (group + one === 0 ? first : request()));
      return { what: 'ask', requests, rest };
    });
    steps.push(...events, ...groups);
  }
  return { seed, index, kind: drawn, versions, older, steps };
};

/** The numbers of the steps before and after the restart of the streamer. */
export const halvesOf = ({ steps }: Story): readonly [readonly number[], readonly number[]] => {
  const at = steps.findIndex(({ what }) => what === 'restart');
  const numbers = steps.map((_, number) => number);
  return at < 0 ? [numbers, []] : [numbers.slice(0, at), numbers.slice(at + 1)];
};
