import { closedTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const stuckConsumer = diagram({
  operator: 'closedTimeout',
  note: 'timeout 5',
  sources: { source: { marble: 'a--b-------------------', window: '^----------------!' } },
  valves: { valve: { marble: ' o---x---o---x----------', window: '^----------------!' } },
  results: { result: { marble: 'a--b-------------#' } },
  measured: [12, 17],
  make: ({ source }, { valve }) => ({
    result: source.pipe(under(valve, closedTimeout({ timeoutMs: 5, error: () => 'error' }))),
  }),
});
