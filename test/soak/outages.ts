/** The times in which an end had no daemon behind it. Milliseconds of the monotonic clock. */
export interface Outages {
  /** Begins one, now or earlier, which ends with the returned call. */
  begin(end: string, from?: number): () => void;
  /** Whether a request at an end overlapped with one. */
  touched(end: string, began: number, ended: number): boolean;
}

interface Outage {
  readonly end: string;
  readonly from: number;
  to: number;
}

/** Kept, so that the memory of a long run is bounded; a request lasts a minute at most. */
const KEPT = 500;

/** The monotonic clock as other processes see it. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export const createOutages = (): Outages => {
  const outages: Outage[] = [];
  return {
    begin: (end, from = now()) => {
      const outage: Outage = { end, from, to: Number.POSITIVE_INFINITY };
      outages.push(outage);
      if (outages.length > KEPT) outages.shift();
      return () => {
        outage.to = now();
      };
    },
    touched: (end, began, ended) => outages.some((one) => one.end === end && began < one.to && ended > one.from),
  };
};
