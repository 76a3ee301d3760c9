import { describe, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { flow, follow } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';

describe('follow', () => {
  it('continues with the Observable of the only value, which ends later than the source', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const followed = cold('-b--c|');
      expectObservable(
        flow(
          () => cold('-a|'),
          follow(() => followed),
        )(NEVER),
      ).toBe('--b--c|');
      expectSubscriptions(followed.subscriptions).toBe('-^----!');
    }));

  it('completes and errors with a source that has no value', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(
        flow(
          () => cold('--|'),
          follow(() => NEVER),
        )(NEVER),
      ).toBe('--|');
      expectObservable(
        flow(
          () => cold('--#'),
          follow(() => NEVER),
        )(NEVER),
      ).toBe('--#');
    }));
});
