import { type Random, seeded } from '../faults/random.ts';
import { anyKind, anyLargeKind, anyLargeSize, anySize, type Kind, makeVersion, type Version } from './content.ts';
import type { Fault } from './feed.ts';
import { anyRange } from './ranges.ts';
import { anyRequest, anyRevalidation, type RequestPlan, WHOLE } from './requests.ts';

/** One thing that happens to a path. */
export type Step =
  /** Requests, together; bodies of the feed pause for this many milliseconds in their middle. */
  | { readonly what: 'ask'; readonly requests: readonly RequestPlan[]; readonly rest: number }
  /** What caches keep is over. */
  | { readonly what: 'over' }
  /** The catalog names the next version, in place of the old row or in a row before it; the feed has it at once, or not yet. */
  | { readonly what: 'replace'; readonly row: 'same' | 'another'; readonly lags: boolean }
  /** The feed has the next version; the catalog, which knows no checksum, stays as it is. */
  | { readonly what: 'change' }
  /** The feed fails from now on, or is well again. */
  | { readonly what: 'fault'; readonly fault?: Fault }
  /** Another file of the same feed fails. */
  | { readonly what: 'elsewhere' }
  /** The streamer is stopped and started. */
  | { readonly what: 'restart' };

/** What happens to one path, thought out beforehand: the same for every cache. */
export interface Story {
  readonly seed: number;
  readonly index: number;
  readonly kind: Kind;
  readonly versions: readonly Version[];
  /** Whether the catalog has a row of the first version beside that of the second from the beginning. */
  readonly older: boolean;
  readonly steps: readonly Step[];
}

const anyFault = (random: Random, size: number, kind: Kind): Fault =>
  random.weighed<() => Fault>([
    [3, () => ({ kind: 'status', status: random.pick([500, 500, 503, 404, 403]) })],
    [4, () => ({ kind: 'cut', at: random.whole(0, Math.max(0, size - 1)) })],
    [kind.checksum && size > 0 ? 1.5 : 0, () => ({ kind: 'lie', at: random.whole(0, Math.max(0, size - 1)) })],
  ])();

/** Whether the dates of a feed, if it says any, show that content was replaced. */
export const isSeen = ({ dates }: Kind): boolean => dates === 'newer' || dates === 'none';

/** Whether a feed may change content without the catalog, which then must not know it. */
const mayChange = (kind: Kind): boolean => !kind.checksum && !kind.sized && isSeen(kind);

/** What happens before the next requests: often nothing, otherwise one thing or a few. */
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
  const over: Step = { what: 'over' };
  const next: Step = mayChange(kind) && random.chance(0.5) ? { what: 'change' } : replace('same');
  const fault: Step = { what: 'fault', fault: anyFault(random, size, kind) };
  return random.weighed<readonly Step[]>([
    [failing ? 3 : 6, []],
    [first ? 0 : 2, [over]],
    [left > 0 ? (large ? 8 : 2) : 0, [next]],
    [left > 0 && !first ? 4 : 0, [next, over]],
    [left > 0 ? 1 : 0, [replace('another')]],
    // Without a checksum, old content at a feed that lags behind looks like new content.
    [left > 0 && kind.checksum ? 1 : 0, [replace('same', true)]],
    [large ? 6 : 2, [fault]],
    [first ? 0 : 1.5, [fault, over]],
    [failing ? 12 : 0, [{ what: 'fault' }]],
    [1, [{ what: 'elsewhere' }]],
    [first ? 0 : 0.7, [{ what: 'elsewhere' }, over]],
  ]);
};

const isNext = ({ what }: Step): boolean => what === 'replace' || what === 'change';

/** No two versions are empty: they would be the same. */
const distinct = (size: number, place: number): number => (size === 0 && place > 0 ? 7 + place : size);

const isFailing = (step: Step): boolean =>
  (step.what === 'fault' && step.fault !== undefined) || (step.what === 'replace' && step.lags);

/** The story of a path, by its number among those of a seed. */
export const tellStory = (seed: number, index: number): Story => {
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
    // Most begin with a whole file, so that there is something to be kept.
    const request = () => {
      if (large && turn === 0 && random.chance(0.6)) return { ...WHOLE, range: anyRange(random, 1_000_000) };
      return random.chance(turn === 0 || large ? 0.5 : 0.12) ? WHOLE : anyRequest(random, length);
    };
    // Caches may err most when the first that comes after a change knows it already.
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

/** A story of the two halves that a restart of the streamer parts, and the number of each step. */
export const halvesOf = ({ steps }: Story): readonly [readonly number[], readonly number[]] => {
  const at = steps.findIndex(({ what }) => what === 'restart');
  const numbers = steps.map((_, number) => number);
  return at < 0 ? [numbers, []] : [numbers.slice(0, at), numbers.slice(at + 1)];
};
