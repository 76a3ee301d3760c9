import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/app/version.ts';
import type { Scenario } from '../bench.ts';
import { type Contender, hold } from '../contest.ts';
import { pinned } from '../machine.ts';

/** What `contenders/streams.ts` prints. */
interface Cost {
  /** CPU time of each value. */
  readonly nanoseconds: number;
  /** The most values that were made and not yet taken. */
  readonly ahead: number;
  /** MiB by which the peak of resident memory rose. */
  readonly peak: number;
}

/** Values through three operators, beside other ways to stream them. Each run is a process of its own. */
export const streams: Scenario = async ({ sizes: { rounds, values }, cores }) => {
  const costOf = async (way: string, count: number, manner: string): Promise<Cost> => {
    const program = join(packageRoot, 'bench/contenders/streams.ts');
    const [command, ...args] = pinned(cores?.contender, [process.execPath, program, way, String(count), manner]);
    return JSON.parse((await promisify(execFile)(command, args)).stdout);
  };
  const slow = Math.ceil(values / 10);
  const contenders = (
    row: string,
    work: (way: string) => Promise<Cost>,
    unit: keyof Cost,
    remark: (cost: Cost) => string,
  ): readonly Contender[] =>
    WAYS.map(([way, name, ours]) => {
      let last: Cost | undefined;
      return {
        id: ours ? `${way}${row}` : way,
        ...{ name, ours },
        run: async () => {
          last = await work(way);
          return last[unit];
        },
        also: () => last && remark(last),
      };
    });
  const atOnce = (way: string) => costOf(way, values, 'at-once');
  const slowly = (way: string) => costOf(way, slow, 'slowly');
  const perSecond = ({ nanoseconds }: Cost) => `${(1000 / nanoseconds).toFixed(2)} million values/s`;
  const lead = ({ ahead }: Cost) => `${ahead.toLocaleString('en')} value${ahead === 1 ? '' : 's'} ahead`;
  const title = (count: number, consumer: string) =>
    `${count.toLocaleString('en')} values through three operators, ${consumer}`;
  return [
    await hold({
      title: title(values, 'taken at once'),
      unit: 'CPU ns a value',
      ...{ rounds, rehearse: false },
      contenders: contenders('', atOnce, 'nanoseconds', perSecond),
    }),
    await hold({
      title: title(slow, 'of which a slow consumer takes one in each turn of the event loop'),
      unit: 'CPU ns a value',
      ...{ rounds, rehearse: false },
      contenders: contenders('-slow', slowly, 'nanoseconds', lead),
    }),
    await hold({
      title: '… of 1 KiB each: memory',
      unit: 'MiB',
      ...{ rounds, rehearse: false },
      contenders: contenders('-memory', slowly, 'peak', lead),
    }),
  ];
};

const WAYS: readonly (readonly [way: string, name: string, ours: boolean])[] = [
  ['rxjs', 'RxJS alone, without back-pressure', false],
  ['node', 'Node: pipeline of object streams', false],
  ['web', 'Web Streams', false],
  ['ix', 'IxJS', false],
  ['flow', 'rxjs-valve, subscribed to', true],
  ['pulled', 'rxjs-valve, by toAsyncIterable', true],
];
