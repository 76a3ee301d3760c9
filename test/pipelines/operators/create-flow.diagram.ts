import { createFlow } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

/** The producer pushes `c` and `d` after the pause: they were on their way. */
export const heldWhileClosed = diagram({
  operator: 'createFlow',
  note: 'c and d were on their way when the valve closed',
  sources: { producer: { marble: 'a-b-c-d------e-|', window: '^--------------!' } },
  valves: { valve: { marble: '   o--x----o-------', window: ' ^--------------!' } },
  results: { result: { marble: '  a-b-----(cd)-e-|' } },
  make: ({ producer }, { valve }) => ({
    result: createFlow<string>((sink) => {
      const subscription = producer.subscribe(sink);
      return { pause: () => {}, resume: () => {}, close: () => subscription.unsubscribe() };
    })(valve),
  }),
});
