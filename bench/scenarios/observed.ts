import type { Scenario } from '../bench.ts';
import { freePort } from '../machine.ts';
import { compareSettings } from './settings.ts';

/** What it costs to observe the daemon: CPU time of small files with and without. */
export const observed: Scenario = async (bench) => [
  await compareSettings(
    bench,
    'observed or not',
    [
      { id: 'unobserved', name: 'nothing', settings: [] },
      {
        ...{ id: 'metrics', name: 'metrics', ours: true, settings: [] },
        own: async () => ['--admin-port', String(await freePort())],
      },
    ],
    // Of one daemon, which code V8 compiled first decides more than what is measured.
    { processes: bench.sizes.daemons },
  ),
];
