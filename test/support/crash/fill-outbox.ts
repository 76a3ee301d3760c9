// Stores save requests endlessly and delivers two of three. Prints which were stored and delivered.
// Runs until killed.

import { openOutbox } from '../../../src/saves/outbox/open.ts';
import { entryOfUnit } from './numbered.ts';
import { say } from './say.ts';

const outbox = openOutbox(String(process.argv[2]), {
  onError: (error) => {
    throw error;
  },
});

outbox.due.subscribe((save) => {
  if (save.id % 3 === 0) return outbox.putOff(save, 3_600_000, 'not today');
  say(`delivered ${save.entry.unitId}`);
  outbox.remove(save);
});

let unit = 0;
const note = () => {
  const noted = Array.from({ length: 7 }, () => `unit-${unit++}`);
  for (const unitId of noted) outbox.append({ requestId: 'r', entry: entryOfUnit(unitId) });
  outbox.written.subscribe({
    complete: () => {
      for (const unitId of noted) say(`noted ${unitId}`);
      setImmediate(note);
    },
  });
};
note();
