// Keeps copies endlessly, four at a time, and aborts every third mid-body. Prints which are saved.
// Runs until killed.

import { createSaveStore } from '../../../src/saves/copies/store.ts';
import { contentOfNumber, entryOfNumber, headersOfNumber } from './numbered.ts';
import { say } from './say.ts';

const store = createSaveStore({
  folder: String(process.argv[2]),
  onError: (error) => {
    throw error;
  },
});

let count = 0;
const keepNext = () => {
  const number = count++;
  const entry = entryOfNumber(number);
  const content = contentOfNumber(number);
  const keeping = store.keep(entry, content.length, headersOfNumber(number));
  const write = (from: number) => {
    if (from < content.length) {
      keeping?.write(content.subarray(from, from + 65_536));
      setImmediate(write, from + 65_536);
    } else if (number % 3 === 2) {
      keeping?.abort();
      setImmediate(keepNext);
    } else {
      keeping?.commit();
      store.dispatch({ id: number, failures: 0, requestId: 'r', entry }).subscribe({
        complete: () => {
          say(`saved ${number}`);
          setImmediate(keepNext);
        },
      });
    }
  };
  write(0);
};
for (let i = 0; i < 4; i += 1) keepNext();
