import type { Version } from './content.ts';
import { type Fault, withLie } from './feed.ts';

/** A row of the catalog: of which content it speaks, and which feed has it. */
export interface Row {
  readonly feed: 'a' | 'b';
  /** By its checksum; absent if the catalog does not know it, and takes what the feed has. */
  readonly version?: Version;
}

interface Shown {
  readonly version?: Version;
  readonly fault?: Fault;
}

interface State {
  readonly at: number;
  /** Newest first. Each row keeps its identity as long as it is in the catalog. */
  readonly rows: readonly Row[];
  readonly feeds: Readonly<Record<'a' | 'b', Shown>>;
}

/** A version that a response may have. */
export interface Admissible {
  readonly version: Version;
  /** It is an older row's: no cache may keep it. */
  readonly outdated: boolean;
  /** It was replaced: only a cache, or a copy of the streamer's, still has it. */
  readonly kept: boolean;
}

/** What was true of a path, and when. Times are milliseconds. */
export interface Truth {
  /** From now on the catalog has these rows. */
  list(rows: readonly Row[]): void;
  /** From now on a feed has this. */
  show(feed: 'a' | 'b', version: Version | undefined, fault?: Fault): void;
  /** The newest version by now, as far as anybody knows. */
  current(): Version | undefined;
  /** What the streamer may have sent between two moments. */
  admissible(from: number, to: number): readonly Admissible[];
  /** What a cache may send that keeps responses for `during` milliseconds. */
  kept(from: number, to: number, during: number): readonly Admissible[];
  /** Whether the newest row's feed failed, or had other content, between two moments. */
  failing(from: number, to: number): boolean;
  /** What a feed passed off as a version between two moments: no checksum of the whole protects a part, nor what is broken off. */
  passedOff(from: number, to: number): readonly PassedOff[];
}

/** Content that a feed has in place of a version. */
export interface PassedOff {
  readonly as: Version;
  readonly bytes: Buffer;
  readonly lastModified?: string;
}

export const createTruth = (now: () => number): Truth => {
  const states: State[] = [{ at: Number.NEGATIVE_INFINITY, rows: [], feeds: { a: {}, b: {} } }];
  const last = () => states.at(-1)!;
  const change = (changed: Partial<State>) => states.push({ ...last(), ...changed, at: now() });

  const between = (from: number, to: number): readonly number[] =>
    states.flatMap(({ at }, index) =>
      at <= to && (states[index + 1]?.at ?? Number.POSITIVE_INFINITY) > from ? [index] : [],
    );

  /** What a row may stand for in a state: its own version, or whatever its feed had since it was listed. */
  const versionsOf = (row: Row, index: number): readonly Version[] => {
    if (row.version) return [row.version];
    const since = states.findIndex(({ rows }) => rows.includes(row));
    return states.slice(since, index + 1).flatMap(({ feeds }) => feeds[row.feed].version ?? []);
  };

  const fails = ({ rows: [newest], feeds }: State): boolean => {
    if (!newest) return true;
    const { version, fault } = feeds[newest.feed];
    return fault !== undefined || version === undefined || (newest.version ?? version) !== version;
  };

  const admissible = (from: number, to: number): readonly Admissible[] =>
    between(from, to).flatMap((index) => {
      const state = states[index]!;
      const [newest, ...older] = state.rows;
      const isReplaced = (version: Version) =>
        newest !== undefined && !newest.version && state.feeds[newest.feed].version !== version;
      const outdated = fails(state) ? older.flatMap((row) => versionsOf(row, index)) : [];
      return [
        ...(newest ? versionsOf(newest, index) : []).map((version) => ({
          version,
          outdated: false,
          kept: isReplaced(version),
        })),
        ...outdated.map((version) => ({ version, outdated: true, kept: false })),
      ];
    });

  return {
    list: (rows) => change({ rows }),
    show: (feed, version, fault) =>
      change({ feeds: { ...last().feeds, [feed]: { ...(version && { version }), ...(fault && { fault }) } } }),
    current: () => {
      const { rows, feeds } = last();
      return rows[0] && (rows[0].version ?? feeds[rows[0].feed].version);
    },
    admissible,
    kept: (from, to, during) => {
      const now = admissible(from, to);
      const before = admissible(from - during, from).filter(
        ({ version, outdated }) => !outdated && now.every((one) => one.outdated || one.version !== version),
      );
      return [...now, ...before.map((one) => ({ ...one, kept: true }))];
    },
    failing: (from, to) => between(from, to).some((index) => fails(states[index]!)),
    passedOff: (from, to) =>
      between(from, to).flatMap((index) => {
        const { rows, feeds } = states[index]!;
        return rows.flatMap(({ feed, version: as }) => {
          const { version: has, fault } = feeds[feed];
          if (!as || !has || (as === has && fault?.kind !== 'lie')) return [];
          const bytes = fault?.kind === 'lie' ? withLie(has.bytes, fault.at) : has.bytes;
          return [{ as, bytes, ...(has.lastModified && { lastModified: has.lastModified }) }];
        });
      }),
  };
};
