import { headStart } from '../../../src/http/head-start.ts';
import { diagram } from '../../support/marble-diagram.ts';

export const takenLate = diagram({
  operator: 'headStart',
  file: 'src/http/head-start.ts',
  note: 'taken after 6',
  sources: { source: { marble: 'a-b-------c--|', window: '^------------!' } },
  results: { result: { marble: '------(ab)c--|', from: '  ------^' } },
  make: ({ source }) => ({ result: headStart(source, () => {}).events }),
});
