import { map } from 'rxjs';
import { hysteresis } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const twoLevels = diagram({
  operator: 'hysteresis',
  note: 'high 9, low 1',
  sources: { level: { marble: '-1-5-9-5-1-5-9-|', window: '^--------------!' } },
  results: { result: { marble: 'o----x---o---x-|', valve: true } },
  values: { 1: '1', 5: '5', 9: '9' },
  make: ({ level }) => ({ result: hysteresis(level.pipe(map(Number)), { high: 9, low: 1 }) }),
});
