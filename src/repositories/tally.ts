/** A number of things, of which the first ones are named. */
export interface Tally {
  readonly count: number;
  readonly named: readonly string[];
}

/** The most that are named: metadata may have millions of faults. */
export const NAMED = 20;

export const NONE: Tally = { count: 0, named: [] };

/** A tally with more of them, like the one with this name. */
export const counted = ({ count, named }: Tally, name: string, more: number): Tally => ({
  count: count + more,
  named: named.length < NAMED ? [...named, name] : named,
});
