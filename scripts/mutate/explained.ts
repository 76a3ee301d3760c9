import type { Explanations } from './judge.ts';

/** Mutants that no test can kill, since the program does the same, with the reason. */
export const EXPLAINED: Explanations = {};
