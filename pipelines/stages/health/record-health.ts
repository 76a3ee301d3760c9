import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Candidate, type Chunk, type Head, isNote, type Note, type StreamError } from '../../model/index.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import type { Lengths } from '../attempts/lengths.ts';
import type { Health } from './health.ts';

interface RecordHealthDeps {
  readonly health?: Pick<Health, 'observe' | 'began' | 'answered' | 'succeeded'>;
  readonly lengths?: Pick<Lengths, 'forget'>;
  readonly scheduler?: SchedulerLike;
  /** Called with the candidate of each failed attempt, and its error. */
  readonly failed?: (candidate: Candidate, error: StreamError) => void;
}

/**
 * Records how the sources of a request behaved: which was tried, how long its head took, which
 * failed, which sends parts, and which completed the body. The length of content that proved wrong is forgotten.
 * Passes everything on unchanged.
 */
export const recordHealth = ({
  health,
  lengths,
  failed,
  scheduler = asyncScheduler,
}: RecordHealthDeps): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  operate((out) => {
    /** Two if a second source was asked, too. */
    const asked: { readonly candidate: Candidate; readonly at: number }[] = [];
    let serving: Candidate | undefined;

    const answered = (candidate: Candidate) => {
      serving = candidate;
      const last = asked.findLast((one) => one.candidate === candidate);
      if (last) health?.answered(candidate.source, scheduler.now() - last.at);
    };

    return {
      next: (event) => {
        if (isNote(event)) {
          health?.observe(event);
          if (event.type === 'failed') {
            failed?.(event.candidate, event.error);
            if (event.error.code === 'WRONG_CHECKSUM') lengths?.forget(event.candidate);
          }
          // A wait for a place is none of the source's time.
          if (event.type === 'attempt' || event.type === 'asked')
            asked.push({ candidate: event.candidate, at: scheduler.now() });
          if (event.type === 'resumed') answered(event.candidate);
        } else if (event.type === 'head') {
          health?.began(event);
          answered(event.candidate);
        }
        out.next(event);
      },
      complete: () => {
        if (serving) health?.succeeded(serving.source);
        out.complete();
      },
    };
  });
