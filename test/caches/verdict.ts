import type { Version } from './content.ts';
import type { Admissible, PassedOff } from './truth.ts';

export type Category =
  | 'wrong body'
  | 'expired body'
  | 'wrong tag'
  | 'wrong fields'
  | 'wrong 206'
  | 'wrong 304'
  | 'wrong HEAD'
  | 'truncated body'
  | 'cacheable without a length'
  | 'malformed'
  | 'needless failure';

/** `failed`: the client received no content, and can detect it. */
export type Verdict =
  | { readonly kind: 'right'; readonly version?: Version; readonly outdated?: boolean }
  | { readonly kind: 'failed'; readonly what: string }
  | { readonly kind: 'wrong'; readonly category: Category; readonly what: string };

/** The valid versions while a request was under way. */
export interface Circumstances {
  readonly admissible: readonly Admissible[];
  /** All versions: past, present and future. */
  readonly versions: readonly Version[];
  readonly passedOff: readonly PassedOff[];
  /** Whether a cache answered: it may ignore `If-Match` (RFC 9110 section 13.1.1). */
  readonly cached: boolean;
}

export const wrong = (category: Category, what: string): Verdict => ({ kind: 'wrong', category, what });
export const failed = (what: string): Verdict => ({ kind: 'failed', what });
export const right = (version?: Version, outdated = false): Verdict => ({
  kind: 'right',
  ...(version && { version, outdated }),
});

/** The names of the valid versions, for messages. */
export const namesOf = (admissible: readonly Admissible[]): string =>
  [...new Set(admissible.map(({ version, outdated }) => version.name + (outdated ? ' (outdated)' : '')))].join(' or ');
