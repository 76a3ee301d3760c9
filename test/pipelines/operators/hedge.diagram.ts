import { NEVER } from 'rxjs';
import { hedge } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const slowFirst = diagram({
  operator: 'hedge',
  note: 'the second is asked after 4; H wins',
  sources: {
    first: { marble: ' --------H-a-|', window: '^-----!' },
    second: { marble: '    --H-b-|', window: '----^-----!' },
  },
  results: { result: { marble: '------H-b-|' } },
  measured: [0, 4],
  make: ({ first, second }) => ({
    result: hedge({
      first: () => first,
      second: () => second,
      after: 4,
      wins: (value) => value === 'H',
      aside: (error) => `aside ${error}`,
    })(NEVER),
  }),
});
