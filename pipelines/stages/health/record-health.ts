import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { type Candidate, type Chunk, type Head, isNote, type Note } from '../../model/index.ts';
import { operate } from '../../operators/operate.ts';
import type { Health } from './health.ts';

interface LearnDeps {
  readonly health?: Omit<Health, 'order' | 'unhealthy' | 'usualHead'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Tells the memory of all sources how those of this request behaved: who was tried, how long its head took, who failed, and who
 * brought the body to its right end. Passes everything on, untouched.
 */
export const recordHealth = ({
  health,
  scheduler = asyncScheduler,
}: LearnDeps): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  operate((out) => {
    const asked = new Map<Candidate, number>();
    let serving: Candidate | undefined;

    const answered = (candidate: Candidate) => {
      serving = candidate;
      const since = asked.get(candidate);
      if (since !== undefined) health?.answered(candidate.source, scheduler.now() - since);
    };

    return {
      next: (event) => {
        if (isNote(event)) {
          health?.observe(event);
          if (event.type === 'attempt') asked.set(event.candidate, scheduler.now());
          if (event.type === 'resumed') answered(event.candidate);
        } else if (event.type === 'head') answered(event.candidate);
        out.next(event);
      },
      complete: () => {
        if (serving) health?.succeeded(serving.source);
        out.complete();
      },
    };
  });
