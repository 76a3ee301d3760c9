import { readFileSync } from 'node:fs';
import { audit, concatMap, defer, from, ignoreElements, type Observable, startWith, switchMap, timer } from 'rxjs';
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
 * Milliseconds more for each source in the file. So the share of time that writing takes does not
 * grow with their number.
 */
const PACE_EACH = 2;

/**
 * Records unhealthy sources in a file, for the commands. While subscribed, writes at once and after
 * changes, however many, at a pace. `unhealthy` is called for each write only. Emits nothing,
 * completes with `changes`, errors if the file cannot be written. A write that began goes on after
 * unsubscribing: `started` is called with each.
 */
export const writeHealth = (
  file: string,
  changes: Observable<unknown>,
  unhealthy: () => readonly UnhealthySource[],
  started: (writing: Promise<void>) => void = () => {},
): Observable<never> =>
  defer(() => {
    let writing = Promise.resolve();
    let pace = PACE;
    const write = async () => {
      const sources = unhealthy();
      pace = PACE + PACE_EACH * sources.length;
      await replaceFile(file, JSON.stringify(sources));
    };
    return changes.pipe(
      // Counted from the end of a write, so that a slow disk delays writes instead of queueing them.
      audit(() => from(writing).pipe(switchMap(() => timer(pace)))),
      startWith(undefined),
      concatMap(() => {
        writing = write();
        started(writing);
        return writing;
      }),
      ignoreElements(),
    );
  });

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
