import { stallTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const silence = diagram({
  operator: 'stallTimeout',
  note: 'timeout 5',
  sources: { source: { marble: 'a--b-------------', window: '^---------------!' } },
  valves: { valve: { marble: ' o----x-----o-----', window: '^---------------!' } },
  results: { result: { marble: 'a--b------------#' } },
  measured: [11, 16],
  make: ({ source }, { valve }) => ({
    result: source.pipe(under(valve, stallTimeout({ timeoutMs: 5, error: () => 'error' }))),
  }),
});
