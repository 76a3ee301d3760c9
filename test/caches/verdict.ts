import type { Version } from './content.ts';
import type { Admissible, PassedOff } from './truth.ts';

export type Category =
  | 'wrong body'
  | 'body that is over'
  | "another's tag"
  | "another's fields"
  | 'false 206'
  | 'false 304'
  | 'false HEAD'
  | 'clean short end'
  | 'kept without a length'
  | 'malformed'
  | 'needless failure';

/** Right, or wrong; `failed`: the client got nothing, and knows it. */
export type Verdict =
  | { readonly kind: 'right'; readonly version?: Version; readonly outdated?: boolean }
  | { readonly kind: 'failed'; readonly what: string }
  | { readonly kind: 'wrong'; readonly category: Category; readonly what: string };

/** What was true while a request was under way. */
export interface Circumstances {
  readonly admissible: readonly Admissible[];
  /** Every version that ever was or will be. */
  readonly versions: readonly Version[];
  readonly passedOff: readonly PassedOff[];
  /** A cache answered: it may take no notice of `If-Match` (RFC 9110 section 13.1.1). */
  readonly cached: boolean;
}

export const wrong = (category: Category, what: string): Verdict => ({ kind: 'wrong', category, what });
export const failed = (what: string): Verdict => ({ kind: 'failed', what });
export const right = (version?: Version, outdated = false): Verdict => ({
  kind: 'right',
  ...(version && { version, outdated }),
});

/** The versions that there may be, for people. */
export const namesOf = (admissible: readonly Admissible[]): string =>
  [...new Set(admissible.map(({ version, outdated }) => version.name + (outdated ? ' (outdated)' : '')))].join(' or ');
