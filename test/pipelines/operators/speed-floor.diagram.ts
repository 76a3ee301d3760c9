import { NEVER } from 'rxjs';
import { speedFloor } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const tooLittle = diagram({
  operator: 'speedFloor',
  note: 'at least 1 per window of 5, from the first value',
  sources: { source: { marble: '--a-b---c------------', window: '^----------------!' } },
  results: { result: { marble: '--a-b---c--------#' } },
  measured: [2, 7, 12, 17],
  make: ({ source }) => ({
    result: source.pipe(under(NEVER, speedFloor({ atLeast: 1, window: 5, size: () => 1, error: () => 'error' }))),
  }),
});
