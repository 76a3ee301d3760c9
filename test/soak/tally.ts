import type { Line } from './clients.ts';
import { isCache } from './ends.ts';
import type { Verdict } from './judge.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { SoakFile } from './plan.ts';

/** The counts of a class of content. */
interface Counts {
  transfers: number;
  /** Whole bodies that clients with patience asked for, with a good source; those that came. */
  due: number;
  completed: number;
  atOnce: number;
  wrongWhole: number;
  wrongPart: number;
  lie: number;
  killed: number;
  noDatabase: number;
  cut: number;
  refused: number;
  left: number;
  hang: number;
  /** Bytes, directly at the streamer and through caches. */
  served: { direct: number; cached: number };
  fetched: { direct: number; cached: number };
}

const none = (): Counts => ({
  transfers: 0,
  due: 0,
  completed: 0,
  atOnce: 0,
  wrongWhole: 0,
  wrongPart: 0,
  lie: 0,
  killed: 0,
  noDatabase: 0,
  cut: 0,
  refused: 0,
  left: 0,
  hang: 0,
  served: { direct: 0, cached: 0 },
  fetched: { direct: 0, cached: 0 },
});

const sideOf = ({ end }: SoakFile) => (isCache(end) ? 'cached' : 'direct');

export interface Tally {
  add(line: Line, file: SoakFile, verdict: Verdict): void;
  fetched(file: SoakFile, bytes: number): void;
  /** The sum over all classes. */
  total(what: 'transfers' | 'due' | 'completed' | 'wrongWhole' | 'wrongPart' | 'hang'): number;
  table(title: string): string;
}

export const createTally = (): Tally => {
  const byKind = new Map((Object.keys(KINDS) as Kind[]).map((kind) => [kind, none()]));
  return {
    add: (line, file, { counts }) => {
      const count = byKind.get(file.kind)!;
      if (line.try === 1) count.transfers += 1;
      count.served[sideOf(file)] += line.bytes;
      if (line.over && line.asked === 'whole' && line.outcome !== 'left' && file.good && counts !== 'noDatabase') {
        count.due += 1;
        if (line.outcome === 'right') count.completed += 1;
        if (line.outcome === 'right' && line.try === 1) count.atOnce += 1;
      }
      if (counts === 'wrong') count[line.status === 200 && line.asked !== 'head' ? 'wrongWhole' : 'wrongPart'] += 1;
      else if (counts !== 'right') count[counts] += 1;
    },
    fetched: (file, bytes) => {
      byKind.get(file.kind)!.fetched[sideOf(file)] += bytes;
    },
    total: (what) => [...byKind.values()].reduce((sum, count) => sum + count[what], 0),
    table: (title) => {
      const rows = [...byKind].map(([kind, count]) => [KINDS[kind], ...cells(count)]);
      return [[title, ...HEADS], ['---', ...HEADS.map(() => '---:')], ...rows]
        .map((row) => `| ${row.join(' | ')} |`)
        .join('\n');
    },
  };
};

const HEADS = [
  'requests',
  'wrong',
  'wrong parts, heads',
  'completed',
  '… at once',
  'cut: wrong content',
  'cut: killed',
  'cut: other',
  'no database',
  'refused',
  'fetched for a byte served',
  '… through caches',
];

const share = (of: number, all: number) => (all === 0 ? '' : `${Math.floor((1000 * of) / all) / 10} %`);
const ratio = (of: number, to: number) => (to === 0 ? '' : (of / to).toFixed(2));

const cells = (count: Counts): readonly (string | number)[] => [
  count.transfers,
  count.wrongWhole,
  count.wrongPart,
  share(count.completed, count.due),
  share(count.atOnce, count.due),
  count.lie,
  count.killed,
  count.cut,
  count.noDatabase,
  count.refused,
  ratio(count.fetched.direct, count.served.direct),
  ratio(count.fetched.cached, count.served.cached),
];
