import { readFileSync } from 'node:fs';
import { auditTime, concatMap, defer, type Observable, startWith } from 'rxjs';
import { replaceFile } from '../lib/private-files.ts';

/** A source that is not well, as the memory of sources tells it; `until` in milliseconds since 1970. */
export interface UnhealthySource {
  readonly source: string;
  readonly state: string;
  readonly failures: number;
  readonly until: number;
  readonly lastError: { readonly code: string; readonly message: string };
}

/** Milliseconds within which changes are written together. */
const PACE = 500;

/**
 * Keeps a file that says which sources are not well, so that the command line can tell what the daemon knows. Writes, while
 * subscribed, at once and after changes; emits nothing, completes with its source, errors where the file cannot be written.
 */
export const writeHealth = (file: string, unhealthy: Observable<readonly UnhealthySource[]>): Observable<never> =>
  unhealthy.pipe(
    auditTime(PACE),
    startWith([]),
    concatMap((sources) => defer(() => replaceFile(file, JSON.stringify(sources)))),
    concatMap(() => []),
  );

/** What the daemon wrote last, of those whose time is not over; nothing where there is no such file. */
export const readHealth = (file: string, now: number): readonly UnhealthySource[] => {
  try {
    const sources: readonly UnhealthySource[] = JSON.parse(readFileSync(file, 'utf8'));
    return sources.filter(({ until }) => until > now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};
