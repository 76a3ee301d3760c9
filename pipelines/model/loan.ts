import type { Lending } from '../operators/lending.ts';

/** Memory that is lent to the receiver of a chunk for the duration of one call. */
export interface Loan {
  /** Keeps the bytes unchanged until `release` is called as often. */
  retain(): void;
  /** A forgotten release costs the sender a new buffer, nothing else. */
  release(): void;
}

/** Lends the chunks among events. */
export const LOANS: Lending<{ readonly type: string; readonly loan?: Loan }> = {
  retain: ({ loan }) => loan?.retain(),
  release: ({ loan }) => loan?.release(),
};
