import { matchesGlob } from '../../lib/glob.ts';

/** Names and patterns of packages, each of which notes whether it has matched. */
export interface Names {
  readonly matches: (name: string) => boolean;
  /** Those that have matched nothing so far, in their order. */
  unmatched(): readonly string[];
}

const isPattern = (text: string): boolean => /[*?]/.test(text);

/**
 * Bytes of the longest request: tens of thousands of names. An order is a part of the target, since
 * requests with content are refused.
 */
export const LONGEST_ORDER = 1024 * 1024;

/** Patterns that one order may have: each is compared with each name. Names may be many. */
export const MOST_PATTERNS = 1_000;

export const countPatterns = (all: readonly string[]): number => all.filter(isPattern).length;

export const makeNames = (all: readonly string[]): Names => {
  const exact = new Set(all.filter((one) => !isPattern(one)));
  const patterns = all.filter(isPattern);
  const matched = new Set<string>();
  return {
    matches: (name) => {
      const fitting = patterns.filter((pattern) => matchesGlob(name, pattern));
      if (exact.has(name)) fitting.push(name);
      for (const one of fitting) matched.add(one);
      return fitting.length > 0;
    },
    unmatched: () => [...new Set(all)].filter((one) => !matched.has(one)),
  };
};
