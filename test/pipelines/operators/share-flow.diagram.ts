import { NEVER, type Observable } from 'rxjs';
import { shareFlow, type Valve } from '../../../pipelines/index.ts';
import { diagram } from '../../support/marble-diagram.ts';

/** A consumer that joins a running source receives `J` first. `J` has weight 0. */
export const threeSpeeds = diagram({
  operator: 'shareFlow',
  note: 'window 2; J to each consumer that joins',
  sources: {
    source: { marble: '      --a-b----c-d-e-|', window: '    ^--------------!' },
    'slow’s own': { marble: '           -b-c-d-e-|', window: '-----------^--------!' },
  },
  valves: { 'slow’s valve': { marble: 'o--x-----------------', window: '^----------!' } },
  results: {
    quick: { marble: '       --a-b----c-d-e-|' },
    late: { marble: '        ----(Jab)c-d-e-|', from: '----^' },
    slow: { marble: '        J-a---------b-c-d-e-|' },
  },
  make: (sources, valves) => {
    const join = shareFlow<string>({
      size: (value) => (value === 'J' ? 0 : 1),
      lateJoinWindow: 2,
      window: 2,
      memory: 9,
    });
    const consumer = (valve: Valve = NEVER, fallback: Observable<string> = NEVER) =>
      join({ key: 'key', source: () => () => sources.source, fallback: () => fallback, onJoin: 'J' })(valve);
    return { quick: consumer(), late: consumer(), slow: consumer(valves['slow’s valve'], sources['slow’s own']) };
  },
});
