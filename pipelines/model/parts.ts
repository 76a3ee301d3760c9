import type { Part } from './range.ts';

/** The bytes of parts together. */
export const sizeOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/**
 * Parts as if they were adjacent: one part that begins with the first of them and is as long as all.
 * The bytes of several parts are counted like this on their way to the client.
 */
export const adjoined = (parts: readonly [Part, ...Part[]]): Part => {
  const [{ first }] = parts;
  return { first, last: first + sizeOf(parts) - 1 };
};

/** The parts, or pieces of them, that a piece of the adjoined part consists of. */
export const piecesOf = (parts: readonly [Part, ...Part[]], { first, last }: Part): readonly Part[] => {
  let at = parts[0].first;
  return parts.flatMap((part) => {
    const shift = part.first - at;
    at += part.last - part.first + 1;
    const piece = { first: Math.max(part.first, first + shift), last: Math.min(part.last, last + shift) };
    return piece.first <= piece.last ? [piece] : [];
  });
};
