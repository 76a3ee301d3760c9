import { readFileSync } from 'node:fs';
import { auditTime, concatMap, defer, type Observable, startWith } from 'rxjs';
import { replaceFile } from '../lib/private-files.ts';

/** An unhealthy source; `until` in milliseconds since 1970. */
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
 * Records unhealthy sources in a file, for the commands. While subscribed, writes at once and after
 * changes. Emits nothing, completes with its source, errors if the file cannot be written.
 */
export const writeHealth = (file: string, unhealthy: Observable<readonly UnhealthySource[]>): Observable<never> =>
  unhealthy.pipe(
    auditTime(PACE),
    startWith([]),
    concatMap((sources) => defer(() => replaceFile(file, JSON.stringify(sources)))),
    concatMap(() => []),
  );

/**
 * The sources that the daemon recorded and that are still unhealthy; none if there is no such file.
 */
export const readHealth = (file: string, now: number): readonly UnhealthySource[] => {
  try {
    const sources: readonly UnhealthySource[] = JSON.parse(readFileSync(file, 'utf8'));
    return sources.filter(({ until }) => until > now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};
