import type { Version } from './content.ts';
import { type Fault, withWrongByte } from './feed.ts';

/** A row of the catalog: its content, and the feed that has it. */
export interface Row {
  readonly feed: 'a' | 'b';
  /** The version of its checksum; absent without a checksum: the feed decides. */
  readonly version?: Version;
}

interface Shown {
  readonly version?: Version;
  readonly fault?: Fault;
}

interface State {
  readonly at: number;
  /** Newest first. A row is the same object while it is in the catalog. */
  readonly rows: readonly Row[];
  readonly feeds: Readonly<Record<'a' | 'b', Shown>>;
}

/** A version that is valid as a response. */
export interface Admissible {
  readonly version: Version;
  /** It belongs to an older row: no cache may keep it. */
  readonly outdated: boolean;
  /** It was replaced: only a cache or a saved copy still has it. */
  readonly kept: boolean;
}

/** The valid versions of a path over time. Times are milliseconds. */
export interface Truth {
  /** From now on the catalog has these rows. */
  list(rows: readonly Row[]): void;
  /** From now on a feed has this version, with this fault. */
  show(feed: 'a' | 'b', version: Version | undefined, fault?: Fault): void;
  /** The newest version that the catalog and the feeds show. */
  current(): Version | undefined;
  /** The versions that the streamer may have sent between two moments. */
  admissible(from: number, to: number): readonly Admissible[];
  /** The versions that a cache may send if it keeps responses for `during` milliseconds. */
  kept(from: number, to: number, during: number): readonly Admissible[];
  /** Whether the newest row's feed failed, or had other content, between two moments. */
  failing(from: number, to: number): boolean;
  /**
   * The content that a feed had in place of a version between two moments. Parts and broken bodies may
   * have it, since no checksum of the whole protects them.
   */
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

  /**
   * The versions of a row in a state: its own, or those that its feed has had since it was listed.
   */
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
          if (!as || !has || (as === has && fault?.kind !== 'wrong byte')) return [];
          const bytes = fault?.kind === 'wrong byte' ? withWrongByte(has.bytes, fault.at) : has.bytes;
          return [{ as, bytes, ...(has.lastModified && { lastModified: has.lastModified }) }];
        });
      }),
  };
};
