import { limitConcurrency } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const twoPlaces = diagram({
  operator: 'limitConcurrency',
  note: 'two places',
  sources: {
    first: { marble: ' a---|', window: '^---!' },
    second: { marble: 'b-|', window: '  ^-!' },
    third: { marble: ' c--|', window: ' --^--!' },
    fourth: { marble: 'd|', window: '   ----^!' },
  },
  results: {
    'of first': { marble: ' a---|' },
    'of second': { marble: 'b-|' },
    'of third': { marble: ' --c--|' },
    'of fourth': { marble: '----d|' },
  },
  make: ({ first, second, third, fourth }) => {
    const limit = limitConcurrency(2);
    return {
      'of first': limit(first),
      'of second': limit(second),
      'of third': limit(third),
      'of fourth': limit(fourth),
    };
  },
});
