import { firstTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const lateFirst = diagram({
  operator: 'firstTimeout',
  note: 'timeout 5',
  sources: { source: { marble: '-------a-------', window: '^----!' } },
  results: { result: { marble: '-----#' } },
  measured: [0, 5],
  make: ({ source }) => ({ result: source.pipe(under(OPEN, firstTimeout({ timeoutMs: 5, error: () => 'error' }))) }),
});
