// Begins a copy and never ends it. Prints its process id once the file is there. Runs until killed.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { createSaveStore } from '../../../src/saves/copies/store.ts';

import { contentOfNumber, entryOfNumber } from './numbered.ts';
import { say } from './say.ts';

const folder = String(process.argv[2]);
const store = createSaveStore({
  folder,
  onError: (error) => {
    throw error;
  },
});
store.keep(entryOfNumber(1), undefined, [])?.write(contentOfNumber(1));

/** The lock, the folder of this process, and the file in it. */
const isThere = () => readdirSync(join(folder, '.partial'), { recursive: true }).length === 3;

let said = false;
for await (const _ of setInterval(10)) {
  if (said || !isThere()) continue;
  say(`half a copy, by process ${process.pid}`);
  said = true;
}
