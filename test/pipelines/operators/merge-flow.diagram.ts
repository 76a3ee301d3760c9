import { mergeFlow, OPEN } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const twoAtATime = diagram({
  operator: 'mergeFlow',
  note: 'two at a time: c waits for the end of b',
  sources: {
    source: { marble: '  abc|', window: '  ^--!' },
    'for a': { marble: 'A---A|', window: '^----!' },
    'for b': { marble: 'B-|', window: '   -^-!' },
    'for c': { marble: 'C--|', window: '  ---^--!' },
  },
  results: { result: { marble: 'AB-CA-|' } },
  make: (sources) => {
    const each = (name: string) => () => sources[`for ${name}` as 'for a'];
    return { result: mergeFlow(2, each)(() => sources.source)(OPEN) };
  },
});
