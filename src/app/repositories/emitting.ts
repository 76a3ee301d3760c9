import { concatMap, from, type Observable } from 'rxjs';
import { AtOnce } from '../../../pipelines/operators/at-once.ts';
import type { Answer } from '../../catalog/answer.ts';

/** Emits the values of an answer, at once if they are there. */
export const emitting = <T>(answer: Answer<readonly T[]>): Observable<T> =>
  answer instanceof Promise ? from(answer).pipe(concatMap((values) => values)) : new AtOnce(() => answer);
