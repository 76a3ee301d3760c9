import type { Signature } from '../format.ts';

/** What two parts of a repository are signed with: each of them must still count. */
export const joined = (one: Signature | undefined, other: Signature): Signature => {
  if (!one) return other;
  const known = new Set(one.signers.map(({ key }) => key));
  const signers = [...one.signers, ...other.signers.filter(({ key }) => !known.has(key))];
  const until = least(one.until, other.until);
  const date = least(one.date, other.date);
  return { signers, ...(until !== undefined && { until }), ...(date !== undefined && { date }) };
};

const least = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
