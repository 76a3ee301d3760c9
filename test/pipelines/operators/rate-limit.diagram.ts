import { defer, NEVER } from 'rxjs';
import { rateLimit, type Valve } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

/** Values are words, of which a letter has size 1. */
export const inParts = diagram({
  operator: 'rateLimit',
  note: '10 a second: a letter each 100 ms',
  sources: { source: { marble: 'w 399ms e 99ms |', window: '^ 499ms !' } },
  results: {
    result: { marble: '        a 99ms b 99ms c 99ms d 99ms e 99ms |' },
    'inner valve': { marble: '   (ox) 296ms o', valve: true },
  },
  values: { w: 'abcd' },
  scale: 25,
  measured: [0, 100, 200, 300],
  make: ({ source }) => {
    let handed: Valve = NEVER;
    const limit = rateLimit<string>({
      perSecond: 10,
      size: (word) => word.length,
      split: (word, size) => [word.slice(0, size), word.slice(size)],
    });
    const result = limit((valve) => {
      handed = valve;
      return source;
    })(NEVER);
    return { result, 'inner valve': defer(() => handed) };
  },
});
