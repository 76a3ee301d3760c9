import { limitConcurrency } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const twoPlaces = diagram({
  operator: 'limitConcurrency',
  note: 'two places',
  sources: {
    a: { marble: ' a---|', window: '^---!' },
    b: { marble: 'b-|', window: '  ^-!' },
    c: { marble: ' c--|', window: ' --^--!' },
    d: { marble: 'd|', window: '   ----^!' },
  },
  results: {
    'limit(a)': { marble: ' a---|' },
    'limit(b)': { marble: 'b-|' },
    'limit(c)': { marble: ' --c--|' },
    'limit(d)': { marble: '----d|' },
  },
  make: ({ a, b, c, d }) => {
    const limit = limitConcurrency(2);
    return {
      'limit(a)': limit(a),
      'limit(b)': limit(b),
      'limit(c)': limit(c),
      'limit(d)': limit(d),
    };
  },
});
