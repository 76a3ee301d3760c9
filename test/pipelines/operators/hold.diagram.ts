import { hold } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const newestTwo = diagram({
  operator: 'hold',
  note: 'limit 2, the oldest is dropped',
  sources: { source: { marble: 'a-b-c-d------e-|', window: '^--------------!' } },
  valves: { valve: { marble: '  o-x-----o-------', window: ' ^--------------!' } },
  results: { result: { marble: 'a-------(cd)-e-|' } },
  make: ({ source }, { valve }) => ({ result: hold<string>({ limit: 2, overflow: 'oldest' })(source)(valve) }),
});
