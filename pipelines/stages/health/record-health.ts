import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Candidate, type Chunk, type Head, isNote, type Note } from '../../model/index.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import type { Health } from './health.ts';

interface RecordHealthDeps {
  readonly health?: Pick<Health, 'observe' | 'answered' | 'succeeded'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Records how the sources of a request behaved: which was tried, how long its head took, which
 * failed, and which completed the body. Passes everything on unchanged.
 */
export const recordHealth = ({
  health,
  scheduler = asyncScheduler,
}: RecordHealthDeps): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
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
