import { map, NEVER, type Observable, Subject } from 'rxjs';
import { type CatalogEntry, deliverSaves, type PendingSaveRequest } from '../../pipelines/index.ts';
import { diagram } from '../support/marble-diagram.ts';

const entry: CatalogEntry = {
  path: '/bear.rpm',
  importerId: 'importer',
  unitId: 'unit',
  unitTypeId: 'rpm',
  url: 'http://feed/bear.rpm',
  revision: 1,
  data: {},
};
const saveOf = (letter: string): PendingSaveRequest => ({ id: 1, failures: 0, requestId: letter, entry });
const never = (source: Observable<string>) => source as Observable<never>;

/** A delivered save is its lower-case letter, one that was put off its capital. */
export const putOff = diagram({
  operator: 'deliverSaves',
  file: 'pipelines/deliver-saves.ts',
  note: 'B: the delivery of b failed and was put off',
  sources: {
    due: { marble: '       -a-b-------b---' },
    'dispatch a': { marble: '---|', window: ' -^--!' },
    'dispatch b': { marble: '  ---#', window: '---^--!' },
    'b again': { marble: '             --|', window: '-----------^-!' },
  },
  results: {
    removed: { marble: '----a--------b' },
    result: { marble: ' ----a-B------b' },
  },
  make: (sources) => {
    const dispatches = [sources['dispatch a'], sources['dispatch b'], sources['b again']].map(never);
    const removed = new Subject<string>();
    const outbox = {
      due: sources.due.pipe(map(saveOf)),
      remove: (save: PendingSaveRequest) => removed.next(save.requestId),
      putOff: () => {},
    };
    const deliveries = deliverSaves({
      outbox,
      dispatch: () => dispatches.shift() ?? NEVER,
      concurrency: 2,
      wait: 1,
      waitLimit: 1,
      random: () => 1,
    });
    const letterOf = ({ requestId }: PendingSaveRequest, isDelivered: boolean) =>
      isDelivered ? requestId : requestId.toUpperCase();
    return { removed, result: deliveries.pipe(map(({ type, save }) => letterOf(save, type === 'delivered'))) };
  },
});
