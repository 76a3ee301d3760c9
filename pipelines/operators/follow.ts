import type { Observable } from 'rxjs';
import { operate, type Stage } from './operate.ts';
import type { Valve } from './valve.ts';

/**
 * Continues with the Observable of the source's only value. For such a source it equals `mergeMap`,
 * and it is a stage.
 *
 * Emits, completes and errors as that Observable does; completes and errors with the source if that
 * has no value. Unsubscribing leaves both.
 */
export const follow = <T, R>(project: (value: T, valve: Valve) => Observable<R>): Stage<T, R> =>
  operate((out, valve) => {
    let followed = false;
    return {
      next: (value) => {
        followed = true;
        project(value, valve).subscribe(out);
      },
      complete: () => {
        if (!followed) out.complete();
      },
    };
  });
