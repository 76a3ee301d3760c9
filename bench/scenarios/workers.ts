import type { Scenario } from '../bench.ts';
import { cpuOf, descendantsOf } from '../machine.ts';
import { compareSettings } from './settings.ts';

/** Of the daemon and its workers. */
const cpuOfAll = (pid: number): number => [pid, ...descendantsOf(pid)].reduce((sum, one) => sum + cpuOf(one), 0);

/**
 * What several workers cost: CPU time of small files, of all processes. Of two workers each gets half
 * of the requests from the other one. No wall time: all processes share the core of the contender.
 */
export const workers: Scenario = async (bench) => [
  await compareSettings(
    bench,
    'by one process or several',
    [
      { id: 'alone', name: 'one process', settings: [] },
      { id: 'workers', name: '2 workers, half of the requests handed over', ours: true, settings: ['--workers', '2'] },
    ],
    { cpu: cpuOfAll },
  ),
];
