import { OPEN, switchFlow } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const theLatest = diagram({
  operator: 'switchFlow',
  note: 'the same flow for each value',
  sources: {
    source: { marble: ' a----b----|', window: '^---------!' },
    'for each': { marble: 'A-B-C-D|' },
  },
  results: { result: { marble: 'A-B-CA-B-C-D|' } },
  make: ({ source, 'for each': each }) => ({ result: switchFlow(() => () => each)(() => source)(OPEN) }),
});
