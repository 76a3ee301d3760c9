/** Pixels of a lane, and above the first one. */
export const LANE = 22;
export const TOP = 11;

/** The part of the picture that shows one stream: times from `from` to `now`, between two columns. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly from: number;
  readonly now: number;
  /** Milliseconds that one marble stands for. */
  readonly unit: number;
  /** Sources that cool down, each until when. */
  readonly cooling: ReadonlyMap<string, number>;
  /** Pixels for the names of lanes, at their left. */
  readonly labels: number;
  /** Whether what is on disk has a lane even if it has nothing to say. */
  readonly all?: boolean;
}
